import assert from "node:assert/strict";
import { test } from "node:test";

import { cornerOf, hold, MAX_ZOOM, panBy, reveal, zoomAt } from "../../static/js/maps/viewport.js";
import { closeTo, makeRandom } from "./numbers.mjs";

const WHOLE = { zoom: 1, centre: { x: 0.5, y: 0.5 } };

/** The position in the panel of a place of the picture, in shares of the panel. */
function inPanel(viewport, place) {
  const corner = cornerOf(viewport);
  return { x: (place.x - corner.x) * viewport.zoom, y: (place.y - corner.y) * viewport.zoom };
}

/** Viewports that a user can reach, each with a place that it shows. */
function* drawViewports(count) {
  const random = makeRandom(5);
  for (let run = 0; run < count; run += 1) {
    const viewport = hold(1 + 15 * random(), { x: random(), y: random() });
    const corner = cornerOf(viewport);
    const place = { x: corner.x + random() / viewport.zoom, y: corner.y + random() / viewport.zoom };
    yield { viewport, place, random };
  }
}

function expectInside({ zoom, centre }) {
  const corner = cornerOf({ zoom, centre });
  assert.ok(zoom >= 1 && zoom <= MAX_ZOOM);
  for (const start of [corner.x, corner.y]) {
    assert.ok(start >= -1e-9 && start + 1 / zoom <= 1 + 1e-9, `${start} at zoom ${zoom}`);
  }
}

test("the whole picture begins at its corner", () => {
  assert.deepEqual(cornerOf(WHOLE), { x: 0, y: 0 });
});

test("twice as large at the centre shows the middle half", () => {
  const viewport = zoomAt(WHOLE, 2, WHOLE.centre);
  assert.deepEqual(viewport, { zoom: 2, centre: { x: 0.5, y: 0.5 } });
  assert.deepEqual(cornerOf(viewport), { x: 0.25, y: 0.25 });
});

test("twice as large at a corner keeps that corner", () => {
  assert.deepEqual(zoomAt(WHOLE, 2, { x: 1, y: 0 }), { zoom: 2, centre: { x: 0.75, y: 0.25 } });
});

test("the place under the pointer stays there while zooming", () => {
  for (const { viewport, place, random } of drawViewports(300)) {
    const next = zoomAt(viewport, 1 + random(), place);
    const [before, after] = [inPanel(viewport, place), inPanel(next, place)];
    closeTo(after.x, before.x);
    closeTo(after.y, before.y);
  }
});

test("zooming in and out by the same factor restores the view", () => {
  const zoomed = { zoom: 4, centre: { x: 0.5, y: 0.4 } };
  const back = zoomAt(zoomAt(zoomed, 2, { x: 0.55, y: 0.45 }), 0.5, { x: 0.55, y: 0.45 });
  closeTo(back.zoom, 4);
  closeTo(back.centre.x, 0.5);
  closeTo(back.centre.y, 0.4);
});

test("zoom ends at the whole picture and at the largest", () => {
  assert.deepEqual(zoomAt({ zoom: 2, centre: { x: 0.3, y: 0.7 } }, 0.1, { x: 0.1, y: 0.9 }), WHOLE);
  assert.equal(zoomAt(WHOLE, 1000, WHOLE.centre).zoom, MAX_ZOOM);
});

test("nothing shows beyond the picture's edge", () => {
  for (const { viewport, place, random } of drawViewports(300)) {
    expectInside(viewport);
    expectInside(zoomAt(viewport, 0.2 + 3 * random(), place));
    expectInside(panBy(viewport, 2 * random() - 1, 2 * random() - 1));
    expectInside(reveal(viewport, { x: random(), y: random() }));
  }
});

test("a pan moves by its share of the picture and stops at the edge", () => {
  const zoomed = { zoom: 4, centre: { x: 0.5, y: 0.5 } };
  assert.deepEqual(panBy(zoomed, 0.125, -0.25), { zoom: 4, centre: { x: 0.625, y: 0.25 } });
  assert.deepEqual(panBy(zoomed, 1, 0), { zoom: 4, centre: { x: 0.875, y: 0.5 } });
});

test("a visible place moves nothing", () => {
  for (const { viewport, place } of drawViewports(300)) {
    const { centre } = reveal(viewport, place);
    closeTo(centre.x, viewport.centre.x);
    closeTo(centre.y, viewport.centre.y);
  }
});

test("a hidden place appears at the nearest edge", () => {
  const zoomed = { zoom: 4, centre: { x: 0.25, y: 0.5 } };
  const revealed = reveal(zoomed, { x: 0.75, y: 0.5 });
  assert.deepEqual(revealed, { zoom: 4, centre: { x: 0.625, y: 0.5 } });
  assert.deepEqual(inPanel(revealed, { x: 0.75, y: 0.5 }), { x: 1, y: 0.5 });
});
