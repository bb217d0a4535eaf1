// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbering, merging and the two ways of input records.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type InputRecord, decodeInput } from "./input-record";
import { InputSender, type InputWay } from "./input-sender";
import { FakeClock, settle } from "./testing";

class FakeWay implements InputWay {
  open = true;
  backlog = 0;
  readonly messages: Uint8Array[] = [];

  send(bytes: Uint8Array): void {
    this.messages.push(bytes);
  }
  get records(): InputRecord[] {
    return this.messages.flatMap((bytes) => decodeInput(bytes));
  }
}

function setup() {
  const clock = new FakeClock(), socket = new FakeWay(), channel = new FakeWay(), life = new AbortController();
  const sender = new InputSender(socket, life.signal, clock);
  sender.setChannel(channel);
  return { clock, socket, channel, sender, life };
}

const at = (x: number, y = 0) => ({ x, y, width: 640, height: 480 });
const key = (code: number, down: boolean) => ({ code, down, repeat: false, keysym: 0, modifiers: 0 });
const brief = (records: InputRecord[]) => records.map((r) => `${r.type} ${r.sequence} ${r.after}`);

test("records of one task go out in one message, the same bytes on both ways", async () => {
  const { socket, channel, sender } = setup();
  sender.key(key(30, true));
  sender.pointer(at(1));
  sender.button(1, true, at(1));
  assert.equal(socket.messages.length, 0, "not before the task ends");
  await settle();
  assert.deepEqual(brief(socket.records), ["key 1 0", "pointer 2 1", "button 3 1"]);
  assert.equal(socket.messages.length, 1);
  assert.deepEqual(channel.messages, socket.messages);
});

test("positions merge, but never across a button or a key", async () => {
  const { socket, sender } = setup();
  sender.pointer(at(1));
  sender.pointer(at(2));
  sender.button(1, true, null);
  sender.pointer(at(3));
  sender.pointer(at(4));
  sender.key(key(30, true));
  sender.pointer(at(5));
  await settle();
  const seen = socket.records.map((r) => (r.type === "pointer" ? r.x : r.type));
  assert.deepEqual(seen, [2, "button", 4, "key", 5]);
  assert.deepEqual(socket.records.map((r) => r.sequence), [1, 2, 3, 4, 5]);
});

test("points of a stroke are all kept", async () => {
  const { socket, sender } = setup();
  for (let x = 0; x < 4; x++)
    sender.pointer(at(x), true);
  await settle();
  assert.deepEqual(socket.records.map((r) => r.type === "pointer" && r.x), [0, 1, 2, 3]);
});

test("motion and scroll add up within a message", async () => {
  const { socket, sender } = setup();
  sender.motion(1, -2);
  sender.motion(3, -4);
  sender.scroll(0, 60);
  sender.scroll(15, 60);
  await settle();
  assert.deepEqual(socket.records.map((r) => ("dx" in r ? [r.dx, r.dy] : null)), [[4, -6], [15, 120]]);
});

test("`after` names the last ordered record, through any number of unordered ones", async () => {
  const { clock, socket, sender } = setup();
  for (let x = 0; x < 3; x++) {
    sender.pointer(at(x));
    await clock.advance(5);
  }
  sender.scroll(0, 120);
  sender.pointer(at(9));
  sender.release();
  assert.deepEqual(brief(socket.records),
    ["pointer 1 0", "pointer 2 0", "pointer 3 0", "scroll 4 0", "pointer 5 4", "release 6 4"]);
});

test("moves in quick succession wait for one millisecond, a button does not", async () => {
  const { clock, socket, sender } = setup();
  sender.pointer(at(1));
  await settle();
  sender.pointer(at(2));
  await settle();
  assert.equal(socket.messages.length, 1);
  await clock.advance(1);
  assert.equal(socket.messages.length, 2);
  sender.pointer(at(3));
  sender.button(1, true, at(3));
  await settle();
  assert.equal(socket.messages.length, 3);
  assert.equal(clock.waiting, 1, "only the alive timer is left");
});

test("a message stays within 4096 bytes", async () => {
  const { socket, sender } = setup();
  for (let i = 0; i < 400; i++)
    sender.key(key(30, i % 2 === 0));
  await settle();
  assert.ok(socket.messages.length > 1);
  assert.ok(socket.messages.every((bytes) => bytes.length <= 4096));
  assert.deepEqual(socket.records.map((r) => r.sequence), Array.from({ length: 400 }, (_, i) => i + 1));
});

test("alive goes out every 500 ms while anything is held, and only then", async () => {
  const { clock, socket, sender } = setup();
  sender.key(key(30, true));
  sender.button(1, true, null);
  await clock.advance(1100);
  assert.deepEqual(socket.records.map((r) => r.type), ["key", "button", "alive", "alive"]);
  sender.key(key(30, false));
  await clock.advance(500);
  assert.equal(socket.records.filter((r) => r.type === "alive").length, 3);
  sender.button(1, false, null);
  await clock.advance(2000);
  assert.equal(socket.records.filter((r) => r.type === "alive").length, 3);
  assert.equal(clock.waiting, 0);
});

test("release goes out at once, after what waited, and ends alive", async () => {
  const { clock, socket, sender } = setup();
  sender.key(key(30, true));
  sender.release();
  assert.deepEqual(socket.records.map((r) => r.type), ["key", "release"]);
  assert.equal(sender.anythingHeld, false);
  await clock.advance(2000);
  assert.equal(socket.records.length, 2);
});

test("without a channel everything goes by the socket; a full way gets no positions, the socket every key", async () => {
  const { clock, socket, channel, sender } = setup();
  channel.open = false;
  sender.pointer(at(1));
  await clock.advance(5);
  assert.equal(channel.messages.length, 0);
  assert.equal(socket.messages.length, 1);
  channel.open = true;
  channel.backlog = socket.backlog = 1 << 20;
  sender.pointer(at(2));
  await clock.advance(5);
  sender.key(key(30, true));
  await settle();
  assert.equal(channel.messages.length, 0);
  assert.deepEqual(socket.records.map((r) => r.type), ["pointer", "key"]);
});

test("nothing is sent after the session ended", async () => {
  const { clock, socket, sender, life } = setup();
  sender.key(key(30, true));
  await settle();
  sender.pointer(at(1));
  life.abort();
  sender.key(key(31, true));
  await clock.advance(2000);
  assert.deepEqual(socket.records.map((r) => r.type), ["key"]);
});

test("time is the viewer's, in ms since the session began", async () => {
  const { clock, socket, sender } = setup();
  await clock.advance(1234.4);
  sender.key(key(30, true));
  await settle();
  assert.equal(socket.records[0]?.time, 1234);
});
