import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeHistory } from "./fake_browser.mjs";
import { DEFAULTS, readQuestion, readSettings, roundSettings, writeSettings } from "../../static/js/maps/settings.js";
import { makeRandom } from "./numbers.mjs";

new FakeHistory();

const PATH = "/analyses/abc";

test("an address without options has the defaults", () => {
  assert.deepEqual(readSettings(PATH), DEFAULTS);
  assert.equal(writeSettings(PATH, DEFAULTS), PATH);
});

test("an address holds the settings", () => {
  const address = `${PATH}?view=swipe&scale=own&difference_scale=shared&colormap=turbo&opacity=0.7&threshold=0.25&zoom=2&centre=0.25,0.75&point=0.1,1`;
  assert.deepEqual(readSettings(address), {
    view: "swipe",
    scale: "own",
    differenceScale: "shared",
    colormap: "turbo",
    opacity: 0.7,
    threshold: 0.25,
    zoom: 2,
    centre: { x: 0.25, y: 0.75 },
    point: { x: 0.1, y: 1 },
  });
});

test("only what is not the default is written, and everything else stays", () => {
  const address = writeSettings(`${PATH}?target=12&opacity=0.9&versus=3#blocks`, { ...DEFAULTS, threshold: 0.5 });
  assert.equal(address, `${PATH}?target=12&versus=3&threshold=0.5#blocks`);
});

test("the centre of the whole picture is not written", () => {
  assert.equal(writeSettings(PATH, { ...DEFAULTS, centre: { x: 0.1, y: 0.1 } }), PATH);
});

test("numbers are limited to their range", () => {
  const { opacity, threshold, zoom, centre, point } = readSettings(
    `${PATH}?opacity=7&threshold=-1&zoom=99&centre=0,0&point=-3,0.5`,
  );
  assert.deepEqual({ opacity, threshold, zoom, centre, point }, {
    opacity: 1,
    threshold: 0,
    zoom: 16,
    centre: { x: 1 / 32, y: 1 / 32 },
    point: { x: 0, y: 0.5 },
  });
});

test("unreadable values become the default", () => {
  const query = "view=other&scale=none&difference_scale=none&opacity=&threshold=much&zoom=NaN&centre=middle&point=0.5";
  assert.deepEqual(readSettings(`${PATH}?${query}`), DEFAULTS);
});

test("a link shows its sender's view", () => {
  const random = makeRandom(6);
  for (let run = 0; run < 300; run += 1) {
    const drawn = {
      view: random() < 0.5 ? "difference" : "side",
      scale: random() < 0.5 ? "own" : "shared",
      differenceScale: random() < 0.5 ? "own" : "shared",
      colormap: random() < 0.5 ? "jet" : "viridis",
      opacity: Math.round(20 * random()) / 20,
      threshold: Math.round(100 * random()) / 100,
      zoom: 1 + 15 * random(),
      centre: { x: random(), y: random() },
      point: random() < 0.5 ? null : { x: random(), y: random() },
    };
    const seen = roundSettings(drawn);
    assert.deepEqual({ ...seen, zoom: 0, centre: 0, point: 0 }, { ...drawn, zoom: 0, centre: 0, point: 0 });
    assert.ok(Math.abs(seen.zoom - drawn.zoom) < 1e-4);
    assert.deepEqual(readSettings(writeSettings(PATH, seen)), seen);
  }
});

test("the question has no settings of the view", () => {
  assert.equal(readQuestion(`${PATH}?zoom=2&target=5&opacity=0.1&method=gradcam&point=0,0#maps`), `${PATH}?method=gradcam&target=5`);
  assert.equal(readQuestion(`${PATH}?target=5&method=gradcam`), readQuestion(`${PATH}?method=gradcam&target=5&scale=own&view=swipe&difference_scale=shared`));
});
