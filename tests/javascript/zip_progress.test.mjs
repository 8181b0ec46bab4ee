/** The number of pictures in a ZIP file's bytes. */

import assert from "node:assert/strict";
import test from "node:test";
import { PictureCounter } from "../../static/js/lib/zip_progress.js";

/** @param {string} name */
function makeFile(name, signature = "PK\u0003\u0004") {
  const header = Buffer.alloc(30);
  header.write(signature, "latin1");
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name), Buffer.from("PPK-content")]);
}

const ARCHIVE = Buffer.concat([
  makeFile("README.txt"),
  makeFile("01-cat/figure.png"),
  makeFile("01-cat/numbers.json"),
  makeFile("02-numbers.json/maps.npz"),
  makeFile("02-numbers.json/numbers.json"),
  makeFile("sheet.pdf"),
  // The directory at the end names every file again.
  makeFile("01-cat/numbers.json", "PK\u0001\u0002"),
]);

test("a picture counts once its last file has begun", () => {
  const counter = new PictureCounter();
  const end = ARCHIVE.indexOf("01-cat/numbers.json") + "01-cat/numbers.json".length;
  assert.equal(counter.add(ARCHIVE.subarray(0, end - 1)), 0);
  assert.equal(counter.add(ARCHIVE.subarray(end - 1, end)), 1);
  assert.equal(counter.add(ARCHIVE.subarray(end)), 2);
});

test("chunks of any size give the same count", () => {
  for (const size of [1, 2, 3, 29, 31, 1000]) {
    const counter = new PictureCounter();
    for (let start = 0; start < ARCHIVE.length; start += size) {
      counter.add(ARCHIVE.subarray(start, start + size));
    }
    assert.equal(counter.count, 2, `chunks of ${size} bytes`);
  }
});
