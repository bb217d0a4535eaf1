// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { watchNetwork } from "./network-watch";
import { FakeClock } from "./testing";

test("events of the network and the end of a sleep are noticed, ordinary time is not", async () => {
  const clock = new FakeClock(), window = new EventTarget(), connection = new EventTarget(), life = new AbortController();
  let changes = 0;
  watchNetwork(() => changes++, { window, connection }, life.signal, clock);
  await clock.advance(60000);
  assert.equal(changes, 0);
  window.dispatchEvent(new Event("online"));
  connection.dispatchEvent(new Event("change"));
  assert.equal(changes, 2);
  clock.sleep(20000);
  await clock.advance(1000);
  assert.equal(changes, 3);
  life.abort();
  window.dispatchEvent(new Event("online"));
  clock.sleep(20000);
  await clock.advance(5000);
  assert.equal(changes, 3);
});
