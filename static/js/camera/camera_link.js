/** The connection that answers frames, one at a time. */

import { orAborted } from "../lib/abortable.js";
import { PageProblem } from "../lib/page.js";

/**
 * @typedef {{title: string, detail: string}} Problem
 * @typedef {{class_index: number, class_name: string, probability: number}} Prediction
 * @typedef {{kind: "ready", shorter_side_pixels: number, max_frame_bytes: number, lineup: string, trained: boolean,
 *   networks: Record<string, string>}} Ready
 * @typedef {{kind: "busy", retry_after_seconds: number, problem: Problem}} Busy
 * @typedef {{kind: "problem", problem: Problem}} Refusal
 * @typedef {object} Frame
 * @property {"frame"} kind
 * @property {string} class_name the explained class.
 * @property {string} chosen_by
 * @property {Record<import("../maps/maps.js").NetworkName, {probability: number, first: Prediction}>} networks
 * @property {any} maps as `readMaps` reads them.
 */

const ENDED = "The server closed the connection; check that it is running, then start the camera again.";

export class CameraLink {
  /**
   * @param {string} address the server's path and the question.
   * @param {AbortSignal} signal
   */
  constructor(address, signal) {
    const url = new URL(address, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new WebSocket(url);
    this.signal = signal;
    /** @type {((reason: unknown) => void) | null} */
    this.fail = null;
    /** @type {((message: any) => void) | null} */
    this.pass = null;
    this.next = this.expect();
    this.socket.addEventListener("message", ({ data }) => this.pass?.(JSON.parse(data)));
    this.socket.addEventListener("close", () => this.fail?.(new PageProblem(ENDED)));
  }

  /**
   * Wait until frames may be sent.
   *
   * @returns {Promise<Ready>}
   * @throws {PageProblem} with the server's sentence if it refuses frames.
   */
  async open() {
    const message = await this.receive();
    if (message.kind === "problem") {
      throw new PageProblem(message.problem.detail);
    }
    return message;
  }

  /**
   * @param {Blob} blob a frame.
   * @returns {Promise<Frame | Busy | Refusal>}
   */
  ask(blob) {
    this.socket.send(blob);
    return this.receive();
  }

  close() {
    this.socket.close();
  }

  /** @returns {Promise<any>} */
  async receive() {
    const message = await orAborted(this.next, this.signal);
    this.next = this.expect();
    return message;
  }

  /** The next message, which may come before `receive` is called. */
  expect() {
    const message = new Promise((pass, fail) => {
      this.pass = pass;
      this.fail = fail;
    });
    // The connection may end while no call waits for a message.
    message.catch(() => {});
    if (this.socket.readyState >= WebSocket.CLOSING) {
      this.fail?.(new PageProblem(ENDED));
    }
    return message;
  }
}
