/** How many frames a second were answered lately. */

const WINDOW_MILLISECONDS = 2000;

export class FrameRate {
  constructor() {
    /** @type {number[]} when frames were answered, in milliseconds, the oldest first. */
    this.times = [];
  }

  /**
   * A frame was answered.
   *
   * @param {number} now in milliseconds.
   * @returns {number} frames a second over the last two seconds; 0 for the first one.
   */
  count(now) {
    this.times.push(now);
    // Two are needed to tell a rate, however long ago the first one was.
    while (this.times.length > 2 && now - /** @type {number} */ (this.times[0]) > WINDOW_MILLISECONDS) {
      this.times.shift();
    }
    const span = now - /** @type {number} */ (this.times[0]);
    return span > 0 ? ((this.times.length - 1) * 1000) / span : 0;
  }
}
