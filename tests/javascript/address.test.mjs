import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { FakeHistory } from "./fake_browser.mjs";

mock.timers.enable({ apis: ["setTimeout"] });
let history = new FakeHistory();
const { commit, preview, settle } = await import("../../static/js/lib/address.js");
const { finish, follow, getSettings, keep, move, onSettings, step } = await import("../../static/js/maps/view.js");

const START = history.address;

beforeEach(() => {
  history = new FakeHistory();
  follow();
});

test("a commit is one step in the history", () => {
  commit("?opacity=0.7");
  assert.deepEqual(history.entries, [START, `${START}?opacity=0.7`]);
});

test("a commit of the same address is no step", () => {
  commit(START);
  commit("/analyses/abc");
  assert.deepEqual(history.entries, [START]);
});

test("previews become one step, which starts at their start", () => {
  for (const opacity of [0.6, 0.7, 0.8]) {
    preview(`?opacity=${opacity}`);
    mock.timers.tick(1000);
    assert.deepEqual(history.entries, [`${START}?opacity=${opacity}`]);
  }
  commit("?opacity=0.8");
  assert.deepEqual(history.entries, [START, `${START}?opacity=0.8`]);
});

test("a preview that has to wait does not come after the commit", () => {
  preview("?opacity=0.6");
  commit("?opacity=0.9");
  mock.timers.tick(1000);
  assert.deepEqual(history.entries, [START, `${START}?opacity=0.9`]);
});

test("the last of several quick previews counts", () => {
  const replaced = mock.method(history, "replaceState");
  for (const opacity of [0.1, 0.2, 0.3]) {
    preview(`?opacity=${opacity}`);
  }
  mock.timers.tick(1000);
  assert.equal(replaced.mock.callCount(), 1);
  assert.deepEqual(history.entries, [`${START}?opacity=0.3`]);
});

test("the next step starts at the address to which the browser went", () => {
  commit("?opacity=0.7");
  history.back();
  settle();
  commit("?opacity=0.2");
  assert.deepEqual(history.entries, [START, `${START}?opacity=0.2`]);
});

test("a slider's move is one step, and listeners get every value", () => {
  const heard = [];
  onSettings(({ opacity }) => heard.push(opacity));
  move({ opacity: 0.6 });
  move({ opacity: 0.7 });
  keep({ opacity: 0.8 });
  assert.deepEqual(heard, [0.6, 0.7, 0.8]);
  assert.deepEqual(history.entries, [START, `${START}?opacity=0.8`]);
  assert.equal(getSettings().opacity, 0.8);
});

test("steps of a wheel are committed when it stops", () => {
  step({ zoom: 2 });
  mock.timers.tick(300);
  step({ zoom: 3 });
  mock.timers.tick(300);
  assert.equal(history.entries.length, 1);
  mock.timers.tick(300);
  assert.deepEqual(history.entries, [START, `${START}?zoom=3&centre=0.5000,0.5000`]);
});

test("waiting steps are committed before another change begins", () => {
  step({ zoom: 2 });
  finish();
  keep({ opacity: 0.7 });
  assert.equal(history.entries.length, 3);
  finish();
  assert.equal(history.entries.length, 3);
});

test("the settings follow the address that the browser went back to", () => {
  keep({ opacity: 0.7 });
  history.back();
  follow();
  assert.equal(getSettings().opacity, 0.5);
});
