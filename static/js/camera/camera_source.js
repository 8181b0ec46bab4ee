/** The camera: open it, take its newest frame, close it. */

import { orAborted } from "../lib/abortable.js";
import { PageProblem } from "../lib/page.js";

/**
 * @typedef {{blob: Blob, picture: ImageBitmap}} TakenFrame the frame to send, and the frame to show.
 */

const JPEG_QUALITY = 0.85;

const SIZE = { width: { ideal: 640 }, height: { ideal: 480 } };

const GONE = "The camera was disconnected or is no longer allowed; connect or allow it, then start it again.";

/** @type {Readonly<Record<string, string>>} */
const SENTENCES = {
  NotAllowedError:
    "This page was not allowed to use the camera; allow it beside the browser’s address, then start it again.",
  NotFoundError: "No camera was found; connect one and start the camera again, or upload a picture.",
  OverconstrainedError: "That camera is no longer there; start the camera again.",
  NotReadableError: "The camera cannot be read; close other programs that use it, then start it again.",
  AbortError: "The camera did not start; reconnect it, then start it again.",
};

export class CameraSource {
  /** @param {HTMLVideoElement} video shows the camera's picture. */
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
    /** The identifier of the camera that the user chose; empty for one that looks away from the user. */
    this.device = "";
  }

  /**
   * Ask for the camera and start it.
   *
   * @param {AbortController} run aborted with a sentence if the camera is lost; after that, no camera stays open.
   * @throws {PageProblem} if there is no camera, or this page may not use it.
   */
  async open(run) {
    const asked = askForCamera(this.device);
    // The user may stop the camera before answering the browser's question.
    asked.then((late) => run.signal.aborted && stopTracks(late)).catch(() => {});
    const stream = await orAborted(asked, run.signal);
    const gone = new PageProblem(GONE);
    stream.getTracks().forEach((track) => track.addEventListener("ended", () => run.abort(gone)));
    this.video.srcObject = stream;
    await orAborted(this.video.play(), run.signal);
  }

  /**
   * The cameras of this device; browsers tell their names only while one of them is on.
   *
   * @returns {Promise<{id: string, title: string, isOn: boolean}[]>}
   */
  async list() {
    const stream = this.video.srcObject;
    const on = stream instanceof MediaStream ? stream.getVideoTracks()[0]?.getSettings().deviceId : undefined;
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    return devices.map(({ deviceId, label }, at) => ({
      id: deviceId,
      title: label || `Camera ${at + 1}`,
      isOn: deviceId === on,
    }));
  }

  /** Keep the picture as it is, or let it go on. @param {boolean} isFrozen */
  freeze(isFrozen) {
    if (isFrozen) {
      this.video.pause();
    } else {
      // It fails only if the camera was switched off meanwhile.
      this.video.play().catch(() => {});
    }
  }

  /** Switch the camera off. */
  close() {
    const stream = this.video.srcObject;
    this.video.srcObject = null;
    if (stream instanceof MediaStream) {
      stopTracks(stream);
    }
  }

  /**
   * Take the newest frame.
   *
   * @param {number} shorterSide the shorter side to send, in pixels; a smaller frame is not enlarged.
   * @param {AbortSignal} signal
   * @returns {Promise<TakenFrame>}
   */
  async take(shorterSide, signal) {
    await orAborted(this.wait(), signal);
    const picture = await createImageBitmap(this.video);
    return { blob: await this.encode(picture, shorterSide), picture };
  }

  /** Wait for a new frame, unless the picture is frozen; a page in the background gets no frames. */
  wait() {
    return new Promise((resolve) => {
      if (this.video.paused) {
        resolve(undefined);
        return;
      }
      const done = () => {
        this.video.removeEventListener("pause", done);
        resolve(undefined);
      };
      // A picture that is frozen meanwhile brings no further frame.
      this.video.addEventListener("pause", done);
      if ("requestVideoFrameCallback" in this.video) {
        this.video.requestVideoFrameCallback(done);
      } else {
        requestAnimationFrame(done);
      }
    });
  }

  /**
   * A picture as JPEG.
   *
   * @param {ImageBitmap} picture
   * @param {number} shorterSide of the JPEG, in pixels; a smaller picture is not enlarged.
   * @returns {Promise<Blob>}
   */
  encode(picture, shorterSide = Infinity) {
    const ratio = Math.min(1, shorterSide / Math.min(picture.width, picture.height));
    this.canvas.width = Math.round(picture.width * ratio);
    this.canvas.height = Math.round(picture.height * ratio);
    this.canvas.getContext("2d")?.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((resolve, reject) => {
      const take = (/** @type {Blob | null} */ blob) =>
        blob ? resolve(blob) : reject(new PageProblem("This browser cannot write a JPEG; try another one."));
      this.canvas.toBlob(take, "image/jpeg", JPEG_QUALITY);
    });
  }
}

/**
 * @param {string} device the identifier of a camera; empty for any.
 * @returns {Promise<MediaStream>}
 */
async function askForCamera(device) {
  if (!window.isSecureContext) {
    throw new PageProblem(
      "Browsers allow cameras only on pages over https or on localhost, and this page is neither; " +
        "open it there, or upload a picture.",
    );
  }
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new PageProblem("This browser gives pages no access to cameras; try another one, or upload a picture.");
  }
  try {
    const which = device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } };
    return await navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...which } });
  } catch (error) {
    const sentence = error instanceof DOMException && SENTENCES[error.name];
    throw sentence ? new PageProblem(sentence) : error;
  }
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  stream.getTracks().forEach((track) => track.stop());
}
