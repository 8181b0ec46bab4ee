/** The live camera: it sends the newest frame, waits for the answer and repeats this until the user stops it. */

import { wait, orAborted } from "../lib/abortable.js";
import { CameraLink } from "./camera_link.js";
import { CameraSource } from "./camera_source.js";
import { CameraView } from "./camera_view.js";
import { loadColours } from "../maps/colours.js";
import { FrameRate } from "./frame_rate.js";
import { explain, isAbort } from "../lib/page.js";
import { DEFAULTS } from "../maps/settings.js";

/** The wait after a frame that the server could not read. */
const REFUSED_MILLISECONDS = 1000;

export function enhanceCamera() {
  const section = document.getElementById("camera");
  const form = document.getElementById("camera-form");
  const video = document.getElementById("camera-video");
  if (section && form instanceof HTMLFormElement && video instanceof HTMLVideoElement) {
    new Camera(section, form, video).listen();
  }
}

class Camera {
  /**
   * @param {HTMLElement} section
   * @param {HTMLFormElement} form
   * @param {HTMLVideoElement} video
   */
  constructor(section, form, video) {
    this.section = section;
    this.form = form;
    this.source = new CameraSource(video);
    this.view = new CameraView(section);
    /** @type {AbortController | null} the current run. */
    this.run = null;
    this.ended = Promise.resolve();
    this.isAskedAnew = false;
    this.isFrozen = false;
    /** Ends the wait of a frozen camera. @type {(() => void) | null} */
    this.wake = null;
    /** The frame whose maps are shown. @type {ImageBitmap | null} */
    this.shown = null;
  }

  listen() {
    this.view.find("#camera-button").addEventListener("click", () => (this.run ? this.run.abort() : this.begin()));
    this.view.find("#camera-freeze").addEventListener("click", () => this.freeze(!this.isFrozen));
    this.view.find("#camera-analyse").addEventListener("click", () => this.analyse());
    this.device.addEventListener("change", (event) => {
      // Another camera is no other question.
      event.stopPropagation();
      this.changeCamera();
    });
    // Enter in the class field chooses that class and does not send the form.
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => {
      this.isAskedAnew = true;
      this.wake?.();
    });
    window.addEventListener("pagehide", () => this.run?.abort());
  }

  /** The choice between cameras. */
  get device() {
    return /** @type {HTMLSelectElement} */ (this.view.find("#camera-device"));
  }

  begin() {
    this.ended = this.start();
  }

  /** Go on with the camera that was chosen. */
  async changeCamera() {
    this.source.device = this.device.value;
    this.run?.abort();
    await this.ended;
    this.begin();
  }

  async start() {
    const run = new AbortController();
    this.run = run;
    this.say("The camera is starting.");
    this.fail("");
    this.change(true);
    // The camera goes off at once, even if an answer is still expected.
    run.signal.addEventListener("abort", () => this.source.close());
    try {
      await this.source.open(run);
      this.reveal(true);
      this.say("The camera is on.");
      await this.listCameras();
      await this.follow(run.signal);
    } catch (error) {
      if (!isAbort(error)) {
        this.fail(explain(error));
      }
    } finally {
      run.abort();
      this.run = null;
      this.freeze(false);
      this.keep(null);
      this.change(false);
      this.reveal(false);
      this.say("The camera is off.");
    }
  }

  /**
   * Send one frame after another; other options need another connection.
   *
   * @param {AbortSignal} signal
   */
  async follow(signal) {
    const colours = await loadColours(DEFAULTS.colormap);
    for (;;) {
      this.isAskedAnew = false;
      const link = new CameraLink(this.address(), signal);
      try {
        const ready = await link.open();
        this.view.mark = ready.trained ? null : "untrained";
        this.view.arrange(ready.networks);
        this.view.write("#camera-lineup", ready.trained ? ready.lineup : `${ready.lineup}: UNTRAINED (random weights)`);
        const rate = new FrameRate();
        let isLast = false;
        while (!this.isAskedAnew && !isLast) {
          const wasFrozen = this.isFrozen;
          const isAnswered = await this.askOnce(link, ready.shorter_side_pixels, colours, rate, signal);
          isLast = wasFrozen && isAnswered;
        }
      } finally {
        // A frozen camera holds no place on the server.
        link.close();
      }
      if (this.isFrozen && !this.isAskedAnew) {
        this.view.write("#camera-rate", "Frozen");
        await orAborted(this.sleep(), signal);
      }
    }
  }

  /** Wait until the camera goes on or another question is asked. @returns {Promise<void>} */
  sleep() {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** @param {boolean} isFrozen */
  freeze(isFrozen) {
    if (isFrozen !== this.isFrozen) {
      this.isFrozen = isFrozen;
      this.source.freeze(isFrozen);
      this.view.write("#camera-freeze", isFrozen ? "Go on" : "Freeze");
      this.wake?.();
    }
  }

  /** Upload the frame that is shown, at the camera's size, with the question that was asked of it. */
  async analyse() {
    const picture = this.shown;
    const upload = /** @type {HTMLFormElement} */ (this.view.find("#camera-upload"));
    if (!picture) {
      this.fail("No frame was answered yet; wait for the first maps.");
      return;
    }
    const transfer = new DataTransfer();
    transfer.items.add(new File([await this.source.encode(picture)], "camera.jpg", { type: "image/jpeg" }));
    const input = /** @type {HTMLInputElement} */ (upload.elements.namedItem("image"));
    input.files = transfer.files;
    for (const [name, value] of this.question()) {
      const field = document.createElement("input");
      [field.type, field.name, field.value] = ["hidden", name, value];
      upload.append(field);
    }
    upload.submit();
  }

  /** Offer the other cameras, if there are any. */
  async listCameras() {
    const cameras = await this.source.list();
    this.device.replaceChildren(...cameras.map(({ id, title, isOn }) => new Option(title, id, isOn, isOn)));
    /** @type {HTMLElement} */ (this.device.closest(".field")).hidden = cameras.length < 2;
  }

  /** Keep the frame that is shown in place of the one before. @param {ImageBitmap | null} picture */
  keep(picture) {
    this.shown?.close();
    this.shown = picture;
  }

  /**
   * @param {CameraLink} link
   * @param {number} shorterSide
   * @param {import("../maps/colours.js").ColourTable} colours
   * @param {FrameRate} rate
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether the frame was answered with maps.
   */
  async askOnce(link, shorterSide, colours, rate, signal) {
    const { blob, picture } = await this.source.take(shorterSide, signal);
    let isKept = false;
    try {
      const answer = await link.ask(blob);
      if (answer.kind === "frame") {
        this.view.write("#camera-wait", "");
        this.view.show(picture, answer, colours, rate.count(performance.now()));
        this.keep(picture);
        isKept = true;
        return true;
      }
      this.view.write("#camera-wait", `${answer.problem.title}: ${answer.problem.detail}.`);
      const pause = answer.kind === "busy" ? answer.retry_after_seconds * 1000 : REFUSED_MILLISECONDS;
      await orAborted(wait(pause), signal);
      return false;
    } finally {
      if (!isKept) {
        picture.close();
      }
    }
  }

  /** The form's options, without empty ones. */
  question() {
    const question = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value === "string" && value !== "") {
        question.set(name, value);
      }
    }
    return question;
  }

  /** The connection's address with the form's options. */
  address() {
    return `${this.section.dataset.connection}?${this.question()}`;
  }

  /** @param {boolean} isRunning */
  change(isRunning) {
    this.view.write("#camera-button", isRunning ? "Stop the camera" : "Start the camera");
  }

  /** @param {boolean} isShown */
  reveal(isShown) {
    this.view.find("#camera-facts").hidden = !isShown;
    this.view.find("#camera-maps").hidden = !isShown;
  }

  /** @param {string} sentence for screen readers. */
  say(sentence) {
    this.view.write("#camera-status", sentence);
  }

  /** @param {string} sentence the problem; empty to clear it. */
  fail(sentence) {
    const alert = this.view.find("#camera-error");
    alert.textContent = sentence;
    alert.hidden = sentence === "";
  }
}
