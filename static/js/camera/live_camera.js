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
    this.isAskedAnew = false;
  }

  listen() {
    this.view.find("#camera-button").addEventListener("click", () => (this.run ? this.run.abort() : this.start()));
    // Enter in the class field chooses that class and does not send the form.
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => {
      this.isAskedAnew = true;
    });
    window.addEventListener("pagehide", () => this.run?.abort());
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
      await this.follow(run.signal);
    } catch (error) {
      if (!isAbort(error)) {
        this.fail(explain(error));
      }
    } finally {
      run.abort();
      this.run = null;
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
        while (!this.isAskedAnew) {
          await this.askOnce(link, ready.shorter_side_pixels, colours, rate, signal);
        }
      } finally {
        link.close();
      }
    }
  }

  /**
   * @param {CameraLink} link
   * @param {number} shorterSide
   * @param {import("../maps/colours.js").ColourTable} colours
   * @param {FrameRate} rate
   * @param {AbortSignal} signal
   */
  async askOnce(link, shorterSide, colours, rate, signal) {
    const { blob, picture } = await this.source.take(shorterSide, signal);
    try {
      const answer = await link.ask(blob);
      if (answer.kind === "frame") {
        this.view.write("#camera-wait", "");
        this.view.show(picture, answer, colours, rate.count(performance.now()));
        return;
      }
      this.view.write("#camera-wait", `${answer.problem.title}: ${answer.problem.detail}.`);
      const pause = answer.kind === "busy" ? answer.retry_after_seconds * 1000 : REFUSED_MILLISECONDS;
      await orAborted(wait(pause), signal);
    } finally {
      picture.close();
    }
  }

  /** The connection's address with the form's options. */
  address() {
    const question = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value === "string" && value !== "") {
        question.set(name, value);
      }
    }
    return `${this.section.dataset.connection}?${question}`;
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
