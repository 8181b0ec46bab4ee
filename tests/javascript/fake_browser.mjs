/** The parts of a browser that scripts without drawing need: an address, its history, and a path that is recorded. */

const START = "http://127.0.0.1/analyses/abc";

/** The address bar: the changes of the history, in order. */
export class FakeHistory {
  constructor() {
    this.entries = [START];
    globalThis.location = { href: START };
    globalThis.history = this;
  }

  get address() {
    return this.entries.at(-1);
  }

  replaceState(_state, _title, address) {
    this.entries[this.entries.length - 1] = new URL(address, this.address).href;
    globalThis.location.href = this.address;
  }

  pushState(_state, _title, address) {
    this.entries.push(new URL(address, this.address).href);
    globalThis.location.href = this.address;
  }

  back() {
    this.entries.pop();
    globalThis.location.href = this.address;
  }
}

/** A path of separate lines: each has two points. */
export class FakePath {
  constructor() {
    this.lines = [];
  }

  moveTo(x, y) {
    this.lines.push([[x, y]]);
  }

  lineTo(x, y) {
    this.lines.at(-1).push([x, y]);
  }
}

globalThis.Path2D = FakePath;

/** What listens to the window hears nothing. */
globalThis.window = new EventTarget();
