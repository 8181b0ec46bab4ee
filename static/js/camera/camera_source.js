/** The camera: open it, take its newest frame, close it. */

import { orAborted } from "../lib/abortable.js";
import { PageProblem } from "../lib/page.js";

/**
 * @typedef {{blob: Blob, picture: ImageBitmap}} TakenFrame the frame to send, and the frame to show.
 */

const JPEG_QUALITY = 0.85;

const WANTED = { video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: { ideal: "environment" } } };

const GONE = "The camera was disconnected or is no longer allowed; connect or allow it, then start it again.";

/** @type {Readonly<Record<string, string>>} */
const SENTENCES = {
  NotAllowedError:
    "This page was not allowed to use the camera; allow it beside the browser’s address, then start it again.",
  NotFoundError: "No camera was found; connect one and start the camera again, or upload a picture.",
  NotReadableError: "The camera cannot be read; close other programs that use it, then start it again.",
  AbortError: "The camera did not start; reconnect it, then start it again.",
};

export class CameraSource {
  /** @param {HTMLVideoElement} video shows the camera's picture. */
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
  }

  /**
   * Ask for the camera and start it.
   *
   * @param {AbortController} run aborted with a sentence if the camera is lost; after that, no camera stays open.
   * @throws {PageProblem} if there is no camera, or this page may not use it.
   */
  async open(run) {
    const asked = askForCamera();
    // The user may stop the camera before answering the browser's question.
    asked.then((late) => run.signal.aborted && stopTracks(late)).catch(() => {});
    const stream = await orAborted(asked, run.signal);
    const gone = new PageProblem(GONE);
    stream.getTracks().forEach((track) => track.addEventListener("ended", () => run.abort(gone)));
    this.video.srcObject = stream;
    await orAborted(this.video.play(), run.signal);
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
    const ratio = Math.min(1, shorterSide / Math.min(picture.width, picture.height));
    this.canvas.width = Math.round(picture.width * ratio);
    this.canvas.height = Math.round(picture.height * ratio);
    this.canvas.getContext("2d")?.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    return { blob: await this.encode(), picture };
  }

  /** Wait for a new frame; a page in the background gets no frames. */
  wait() {
    return new Promise((resolve) => {
      if ("requestVideoFrameCallback" in this.video) {
        this.video.requestVideoFrameCallback(resolve);
      } else {
        requestAnimationFrame(resolve);
      }
    });
  }

  /** @returns {Promise<Blob>} */
  encode() {
    return new Promise((resolve, reject) => {
      const take = (/** @type {Blob | null} */ blob) =>
        blob ? resolve(blob) : reject(new PageProblem("This browser cannot write a JPEG; try another one."));
      this.canvas.toBlob(take, "image/jpeg", JPEG_QUALITY);
    });
  }
}

/** @returns {Promise<MediaStream>} */
async function askForCamera() {
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
    return await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    const sentence = error instanceof DOMException && SENTENCES[error.name];
    throw sentence ? new PageProblem(sentence) : error;
  }
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  stream.getTracks().forEach((track) => track.stop());
}
