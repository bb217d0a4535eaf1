// SPDX-License-Identifier: LGPL-2.1-or-later
// The race with a clock turned by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Race, kHeadStart, kPatience } from "./race";
import { FakeClock } from "./testing";

function setup(can = { webrtc: true, websocket: true }) {
  const clock = new FakeClock(), race = new Race(clock), log: string[] = [];
  for (const type of ["start", "stop", "offer"] as const)
    race.on(type, () => log.push(type));
  race.on("show", (way) => log.push(`show ${way}`));
  race.begin(can);
  const took = () => log.splice(0);
  return { clock, race, took };
}

test("a WebRTC connection within its head start is alone", async () => {
  const { clock, race, took } = setup();
  race.offered();
  await clock.advance(kHeadStart - 1);
  race.webrtcShown();
  await clock.advance(60000);
  assert.deepEqual(took(), ["show webrtc"]);
  assert.equal(clock.waiting, 0);
});

test("a slow one is overtaken, and takes over with its first picture", async () => {
  const { clock, race, took } = setup();
  race.offered();
  await clock.advance(kHeadStart);
  assert.deepEqual(took(), ["start"]);
  race.socketShown();
  assert.deepEqual(took(), ["show websocket"]);
  race.socketShown();
  race.webrtcShown();
  assert.deepEqual(took(), ["show webrtc", "stop"]);
  race.socketShown();  // one that was under way
  await clock.advance(60000);
  assert.deepEqual(took(), []);
});

test("an offer that waits for an encoder is bridged, and takes over when it comes", async () => {
  const { clock, race, took } = setup();
  await clock.advance(kHeadStart - 1);
  assert.deepEqual(took(), []);
  await clock.advance(1);
  assert.deepEqual(took(), ["start"]);
  race.socketShown();
  await clock.advance(1000);
  race.offered();
  race.webrtcShown();
  await clock.advance(60000);
  assert.deepEqual(took(), ["show websocket", "show webrtc", "stop"]);
  assert.equal(clock.waiting, 0);
});

test("without WebRTC the socket starts at once; without the socket WebRTC is alone", async () => {
  const only = setup({ webrtc: false, websocket: true });
  assert.deepEqual(only.took(), ["start"]);
  only.race.socketShown();
  await only.clock.advance(120000);
  assert.deepEqual(only.took(), ["show websocket"]);
  const without = setup({ webrtc: true, websocket: false });
  without.race.offered();
  await without.clock.advance(kPatience);
  assert.deepEqual(without.took(), ["offer"]);
});

test("a dying connection is replaced at once, and tried again later and later", async () => {
  const { clock, race, took } = setup();
  race.offered();
  race.webrtcShown();
  race.webrtcWeak();
  race.socketShown();
  assert.deepEqual(took(), ["show webrtc", "start", "show websocket"]);
  race.webrtcFailed();
  await clock.advance(1999);
  assert.deepEqual(took(), []);
  await clock.advance(1);
  assert.deepEqual(took(), ["offer"]);
  race.offered();
  await clock.advance(kPatience);
  await clock.advance(2000);
  assert.deepEqual(took(), ["offer"]);
  race.offered();
  race.webrtcFailed();
  await clock.advance(3999);
  assert.deepEqual(took(), []);
  race.nudge();
  await clock.advance(0);
  assert.deepEqual(took(), ["offer"], "the network changed");
  race.offered();
  race.webrtcShown();
  assert.deepEqual(took(), ["show webrtc", "stop"]);
});

test("one that comes back by itself is taken back", () => {
  const { race, took } = setup();
  race.offered();
  race.webrtcShown();
  race.webrtcWeak();
  race.webrtcStrong();
  assert.deepEqual(took(), ["show webrtc", "start", "stop"]);
  race.webrtcStrong();
  assert.deepEqual(took(), []);
});

test("when both are gone, both are tried", async () => {
  const { clock, race, took } = setup();
  race.offered();
  race.webrtcShown();
  race.webrtcFailed();
  assert.deepEqual(took(), ["show webrtc", "show null", "start", "offer"]);
  race.socketFailed();
  await clock.advance(500);
  assert.deepEqual(took(), ["start"]);
  race.socketFailed();
  await clock.advance(999);
  assert.deepEqual(took(), []);
  await clock.advance(1);
  assert.deepEqual(took(), ["start"]);
});

test("a socket that breaks while it shows the picture is opened again", async () => {
  const { clock, race, took } = setup({ webrtc: false, websocket: true });
  race.socketShown();
  race.socketFailed();
  await clock.advance(500);
  assert.deepEqual(took(), ["start", "show websocket", "show null", "start"]);
});

test("the end of a session stops everything", async () => {
  const { clock, race, took } = setup();
  race.offered();
  await clock.advance(kHeadStart);
  race.socketShown();
  took();
  race.end();
  await clock.advance(60000);
  assert.deepEqual(took(), ["stop"]);
  assert.equal(race.shown, null);
  assert.equal(clock.waiting, 0);
});
