// SPDX-License-Identifier: LGPL-2.1-or-later
// Gamepads as a browser shows them, and the records that come of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gamepads, type PadLike, rumbleOf } from "./gamepads";
import type { PadRecord, PadState } from "./input-record";

function pad(index: number, change: { pressed?: number[]; axes?: number[]; count?: number; mapping?: string; id?: string; values?: Record<number, number> } = {}): PadLike {
  const { pressed = [], axes = [0, 0, 0, 0], count = 17, mapping = "standard", id = "pad", values = {} } = change;
  const buttons = Array.from({ length: count }, (_, i) => ({ pressed: pressed.includes(i), value: values[i] ?? (pressed.includes(i) ? 1 : 0) }));
  return { index, id, connected: true, mapping, buttons, axes };
}

class Sink {
  log: (PadRecord | (PadState & { pressed: boolean }))[] = [];
  pad(record: PadRecord): void {
    this.log.push(record);
  }
  padState(state: PadState, pressed: boolean): void {
    this.log.push({ ...state, pressed });
  }
  take() {
    return this.log.splice(0);
  }
}

const standard = (slot: number): PadRecord => ({ pad: slot, kind: "standard", buttons: 17, axes: 4 });

test("a gamepad is announced, then only what changes is told", () => {
  const pads = new Gamepads(), sink = new Sink();
  pads.update([pad(0)], sink, 0);
  assert.deepEqual(sink.take(), [standard(0)]);
  pads.update([pad(0)], sink, 10000);
  assert.deepEqual(sink.take(), []);
  pads.update([pad(0, { pressed: [0, 16] })], sink, 10016);
  assert.deepEqual(sink.take(), [{ pad: 0, buttons: 0x10001, axes: [0, 0, 0, 0, 0, 0, 0, 0], pressed: true }]);
  pads.update([pad(0, { pressed: [0, 16], axes: [1, -1, 0.5, 0], values: { 6: 0.25, 7: 1 } })], sink, 10032);
  assert.deepEqual(sink.take(), [{ pad: 0, buttons: 0x10001, axes: [32767, -32767, 16384, 0, 8192, 32767, 0, 0], pressed: false }]);
});

test("what is held is told again every 500 ms, noise is not told at all", () => {
  const pads = new Gamepads(), sink = new Sink();
  pads.update([pad(0, { axes: [0.5, 0, 0, 0] })], sink, 0);
  assert.equal(sink.take().length, 2);
  for (let now = 16; now < 500; now += 16)
    pads.update([pad(0, { axes: [0.5 + (now % 3) / 4000, 0, 0, 0] })], sink, now);
  assert.deepEqual(sink.take(), []);
  pads.update([pad(0, { axes: [0.5, 0, 0, 0] })], sink, 500);
  assert.equal(sink.take().length, 1);
  pads.update([pad(0, { axes: [0.001, 0, 0, 0] })], sink, 510);
  assert.equal(sink.take().length, 1);
  pads.update([pad(0)], sink, 520);
  assert.equal(sink.take().length, 1, "coming to rest is no noise");
});

test("four are taken, a fifth is not, and gets the place of one that goes", () => {
  const pads = new Gamepads(), sink = new Sink();
  const all = [pad(0), null, pad(2), pad(3), pad(5), pad(7)];
  pads.update(all, sink, 0);
  assert.deepEqual(sink.take(), [0, 1, 2, 3].map(standard));
  assert.deepEqual(pads.report(all).map(({ index, slot }) => [index, slot]), [[0, 0], [2, 1], [3, 2], [5, 3], [7, null]]);
  assert.equal(pads.indexOf(3), 5);
  const fewer = [pad(0), null, null, pad(3), pad(5), pad(7)];
  pads.update(fewer, sink, 1);
  assert.deepEqual(sink.take(), [{ pad: 1, kind: "gone", buttons: 0, axes: 0 }, standard(1)]);
  assert.equal(pads.indexOf(1), 7);
});

test("one that is not connected is none", () => {
  const pads = new Gamepads(), sink = new Sink();
  pads.update([{ ...pad(0), connected: false }], sink, 0);
  assert.deepEqual(sink.take(), []);
  assert.deepEqual(pads.report([{ ...pad(0), connected: false }]), []);
});

test("a gamepad with 200 buttons and 20 axes is cut to what the desktop takes, and that is told", () => {
  const pads = new Gamepads(), sink = new Sink();
  const big = pad(0, { count: 200, axes: new Array<number>(20).fill(1), mapping: "", pressed: [31, 32, 199] });
  pads.update([big], sink, 0);
  assert.deepEqual(sink.take(), [
    { pad: 0, kind: "raw", buttons: 32, axes: 8 },
    { pad: 0, buttons: 0x80000000, axes: new Array<number>(8).fill(32767), pressed: true },
  ]);
  assert.deepEqual(pads.report([big]), [{ index: 0, id: "pad", slot: 0, buttons: { taken: 32, all: 200 }, axes: { taken: 8, all: 20 } }]);
});

test("another gamepad in its place is announced", () => {
  const pads = new Gamepads(), sink = new Sink();
  pads.update([pad(0, { pressed: [1] })], sink, 0);
  sink.take();
  pads.update([pad(0, { id: "other", pressed: [1] })], sink, 1);
  assert.equal(sink.take().length, 2);
  pads.update([pad(0, { id: "other", mapping: "", count: 5 })], sink, 2);
  assert.deepEqual(sink.take()[0], { pad: 0, kind: "raw", buttons: 5, axes: 4 });
});

test("a new session is told everything, and nobody nothing", () => {
  const pads = new Gamepads(), first = new Sink(), second = new Sink();
  pads.update([pad(0, { pressed: [1] })], first, 0);
  pads.update([pad(0, { pressed: [1, 2] })], null, 1);
  pads.update([pad(0, { pressed: [1, 2] })], second, 2);
  assert.equal(first.take().length, 2);
  assert.deepEqual(second.take().map((one) => "kind" in one), [true, false]);
});

test("after the focus is lost what is still held is told again", () => {
  const pads = new Gamepads(), sink = new Sink();
  pads.update([pad(0, { pressed: [1] })], sink, 0);
  sink.take();
  pads.suspend();
  pads.update([pad(0, { pressed: [1] })], sink, 1);
  assert.deepEqual(sink.take().map((one) => "pressed" in one && one.pressed), [true]);
});

test("values that are no numbers do no harm", () => {
  const pads = new Gamepads(), sink = new Sink();
  pads.update([pad(0, { axes: [NaN, Infinity, -7, 7], values: { 6: NaN, 7: -3 } })], sink, 0);
  assert.deepEqual(sink.take()[1], { pad: 0, buttons: 0, axes: [0, 0, -32767, 32767, 0, 0, 0, 0], pressed: false });
});

test("orders to rumble are checked", () => {
  assert.deepEqual(rumbleOf({ type: "desktop/gamepad-rumble", pad: 3, strong: 1, weak: 0.5, duration: 1000 }), { pad: 3, strong: 1, weak: 0.5, duration: 1000 });
  for (const wrong of [{ pad: 4 }, { pad: 0.5 }, { pad: "0" }, { strong: 2 }, { weak: -1 }, { duration: 1e9 }, { duration: NaN }, { strong: undefined }])
    assert.equal(rumbleOf({ pad: 0, strong: 0, weak: 0, duration: 0, ...wrong }), null);
});

test("a pedal rests where it begins: it is not told for ever, and is not half pressed when the page loses the focus", () => {
  const pads = new Gamepads(), sink = new Sink();
  const wheel = (pedal: number) => pad(0, { mapping: "", count: 4, axes: [0, pedal] });
  const told = (pedal: number) => ({ pad: 0, buttons: 0, axes: [0, pedal, 0, 0, 0, 0, 0, 0], pressed: false });
  pads.update([wheel(-1)], sink, 0);
  assert.deepEqual(sink.take(), [{ pad: 0, kind: "raw", buttons: 4, axes: 2 }, told(-32767)]);
  pads.update([wheel(-1)], sink, 5000);
  assert.deepEqual(sink.take(), [], "it is at rest");
  pads.update([wheel(0)], sink, 5016);
  pads.update([wheel(0)], sink, 5600);
  assert.deepEqual(sink.take(), [told(0), told(0)], "in the middle it is held");
  pads.suspend();
  pads.update([wheel(-1)], sink, 5616);
  assert.deepEqual(sink.take(), [], "the server let go of it");
});

test("an axis that begins in the middle rests there, wherever it goes next", () => {
  const pads = new Gamepads(), sink = new Sink();
  const cross = (value: number) => pad(0, { mapping: "", count: 4, axes: [0, value] });
  pads.update([cross(0)], sink, 0);
  assert.equal(sink.take().length, 2, "the first state is told");
  pads.update([cross(1)], sink, 16);
  pads.update([cross(1)], sink, 600);
  assert.equal(sink.take().length, 2, "it is held");
  pads.update([cross(0)], sink, 616);
  sink.take();
  pads.update([cross(0)], sink, 5000);
  assert.deepEqual(sink.take(), []);
});
