/** The camera: asked for, its newest frame taken, given back. */

import { orAborted } from "../lib/abortable.js";
import { PageProblem } from "../lib/page.js";

/**
 * @typedef {{blob: Blob, picture: ImageBitmap}} TakenFrame the frame as it is sent, and as it is shown.
 */

const JPEG_QUALITY = 0.85;

const WANTED = { video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: { ideal: "environment" } } };

/** @type {Readonly<Record<string, string>>} */
const SENTENCES = {
  NotAllowedError:
    "The camera was not allowed; allow it for this page beside the browser’s address, then start the camera again.",
  NotFoundError: "No camera was found; connect one and start the camera again, or upload a picture.",
  NotReadableError: "The camera cannot be read; close other programs that use it, then start the camera again.",
  AbortError: "The camera did not start; connect it anew, then start the camera again.",
};

export class CameraSource {
  /** @param {HTMLVideoElement} video shows what the camera sees. */
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
  }

  /**
   * Ask for the camera.
   *
   * @param {AbortController} run ended with a sentence when the camera goes; once it has ended, no camera stays open.
   * @throws {PageProblem} where there is none, or it may not be used.
   */
  async open(run) {
    const asked = askForCamera();
    // People may take their time with the browser's question, and stop before they answer it.
    asked.then((late) => run.signal.aborted && stopTracks(late)).catch(() => {});
    const stream = await orAborted(asked, run.signal);
    const gone = new PageProblem("The camera has gone; connect it or allow it, then start the camera again.");
    stream.getTracks().forEach((track) => track.addEventListener("ended", () => run.abort(gone)));
    this.video.srcObject = stream;
    await orAborted(this.video.play(), run.signal);
  }

  /** Give the camera back. */
  close() {
    const stream = this.video.srcObject;
    this.video.srcObject = null;
    if (stream instanceof MediaStream) {
      stopTracks(stream);
    }
  }

  /**
   * The newest frame.
   *
   * @param {number} shorterSide in pixels, as it is sent; a smaller frame stays as it is.
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

  /** Until the camera has a frame that was not there before; a page that nobody sees gets none. */
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
      "Browsers give a camera only to pages over https or on localhost, and this one is neither; open it there, or upload a picture.",
    );
  }
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new PageProblem("This browser gives pages no camera; try another one, or upload a picture.");
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
