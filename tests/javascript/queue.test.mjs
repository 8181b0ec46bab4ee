import assert from "node:assert/strict";
import { test } from "node:test";

import { describePasses, describePlace, makeTicket } from "../../static/js/lib/queue.js";

test("a ticket has the form that the server takes, and is new each time", () => {
  assert.match(makeTicket(), /^[A-Za-z0-9_-]{16,64}$/);
  assert.notEqual(makeTicket(), makeTicket());
});

test("the place is said in words", () => {
  assert.equal(describePlace(0, 0.2), "Your picture is next …");
  assert.equal(describePlace(1, 0.2), "1 picture is before yours, about 1 s …");
  assert.equal(describePlace(12, 3.6), "12 pictures are before yours, about 4 s …");
});

test("the passes of a long map are said in words", () => {
  assert.equal(describePasses(16, 3840), "Score-CAM: 16 of 3,840 forward passes …");
});
