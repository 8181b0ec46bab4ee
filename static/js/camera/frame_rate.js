/** The rate of answered frames over the last seconds. */

const WINDOW_MILLISECONDS = 2000;

export class FrameRate {
  constructor() {
    /** @type {number[]} when frames were answered, in milliseconds, the oldest first. */
    this.times = [];
  }

  /**
   * Count an answered frame.
   *
   * @param {number} now in milliseconds.
   * @returns {number} frames per second over the last two seconds; 0 for the first frame.
   */
  count(now) {
    this.times.push(now);
    // A rate needs two frames, so the last old one is kept.
    while (this.times.length > 2 && now - /** @type {number} */ (this.times[0]) > WINDOW_MILLISECONDS) {
      this.times.shift();
    }
    const span = now - /** @type {number} */ (this.times[0]);
    return span > 0 ? ((this.times.length - 1) * 1000) / span : 0;
  }
}
