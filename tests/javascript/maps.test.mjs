import assert from "node:assert/strict";
import { test } from "node:test";

import "./fake_browser.mjs";
import { FrameRate } from "../../static/js/camera/frame_rate.js";
import { maximumOf, noticeOf, readMaps } from "../../static/js/maps/maps.js";
import { scaleBox } from "../../static/js/maps/placement.js";
import { closeTo } from "./numbers.mjs";

/** A map in the server's format: steps of its maximum, 0 to 65535, two bytes each. */
function send(max, steps) {
  const sent = Buffer.from(Uint16Array.from(steps).buffer).toString("base64");
  return { width: steps.length, height: 1, min: 0, max, steps: sent };
}

const SENT = {
  picture_width: 600,
  picture_height: 400,
  box: [100, 0, 500, 400],
  units: "logit",
  titles: { baseline: "Baseline", cbam: "CBAM" },
  rows: [{ class_name: "cat", networks: { baseline: send(2, [0, 65535, 13107]), cbam: send(0, [0, 0, 0]) } }],
};

test("steps become values in the method's units", () => {
  const { box, rows, ...rest } = readMaps(SENT);
  assert.deepEqual(rest, { pictureWidth: 600, pictureHeight: 400, units: "logit", titles: SENT.titles });
  assert.deepEqual(box, { left: 100, upper: 0, right: 500, lower: 400 });
  const { values } = rows[0].networks.baseline;
  [0, 2, 0.4].forEach((value, at) => closeTo(values[at], value));
});

test("a map without evidence says so, the other does not", () => {
  const [row] = readMaps(SENT).rows;
  assert.equal(maximumOf(row), 2);
  assert.equal(noticeOf(row, "cbam"), "no positive evidence for cat");
  assert.equal(noticeOf(row, "baseline"), null);
});

test("a row keeps the order of its networks, however many there are", () => {
  const names = ["baseline", "se", "cbam", "cbam-2", "a"];
  const networks = Object.fromEntries(names.map((name) => [name, send(1, [65535])]));
  const [row] = readMaps({ ...SENT, rows: [{ class_name: "cat", networks }] }).rows;
  assert.deepEqual(Object.keys(row.networks), names);
});

test("a box is placed in a canvas's pixels, halves to the even one", () => {
  const maps = { pictureWidth: 600, pictureHeight: 400, box: { left: 100, upper: 0, right: 500, lower: 400 } };
  assert.deepEqual(scaleBox(maps, 300, 200), { left: 50, upper: 0, right: 250, lower: 200 });
  assert.deepEqual(scaleBox({ ...maps, box: { left: 5, upper: 15, right: 25, lower: 35 } }, 60, 40), {
    left: 0,
    upper: 2,
    right: 2,
    lower: 4,
  });
});

test("the thinnest box has a pixel, within the canvas", () => {
  const maps = { pictureWidth: 1000, pictureHeight: 1000 };
  const middle = { ...maps, box: { left: 500, upper: 501, right: 501, lower: 502 } };
  assert.deepEqual(scaleBox(middle, 10, 10), { left: 5, upper: 5, right: 6, lower: 6 });
  const corner = { ...maps, box: { left: 999, upper: 999, right: 1000, lower: 1000 } };
  assert.deepEqual(scaleBox(corner, 10, 10), { left: 9, upper: 9, right: 10, lower: 10 });
});

test("the rate is that of the last two seconds", () => {
  const rate = new FrameRate();
  assert.equal(rate.count(0), 0);
  assert.equal(rate.count(100), 10);
  for (let now = 200; now <= 5000; now += 100) {
    closeTo(rate.count(now), 10);
  }
  for (let now = 5200; now <= 9000; now += 200) {
    rate.count(now);
  }
  closeTo(rate.count(9200), 5);
});

test("a frame after a long pause has a rate too", () => {
  const rate = new FrameRate();
  rate.count(0);
  assert.equal(rate.count(10_000), 0.1);
});
