// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames, told and seen: what is made of them, and what is reported.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InputRecord } from "./input-record";
import { LatencyMeter } from "./latency";
import type { FrameTiming } from "./messages";

/** The server's clock is ahead by this, ms. */
const kOffset = 500000;
const us = (ours: number) => 1000 * (ours + kOffset);

/** Captured at `at` of our clock, out of the encoder 6 ms later and sent after another. */
const timing = (id: number, at: number, more: Partial<FrameTiming> = {}): FrameTiming => ({
  id, rtpTime: 90 * id, captureUs: us(at), pictureUs: 1000, encodedUs: 6000, sentUs: 7000, input: 0, sinceInjectionUs: 0, ...more,
});
const shown = (at: number) => ({ receivedAt: at + 9, decodedAt: at + 12, presentedAt: at + 20, missed: 0 });
const key = (sequence: number, down = true) => ({ type: "key", down, sequence }) as InputRecord;

function aligned(until = 4000): LatencyMeter {
  const meter = new LatencyMeter();
  pings(meter, 0, until);
  return meter;
}
function pings(meter: LatencyMeter, from: number, until: number): void {
  for (let at = from; at <= until; at += 1000)
    meter.pong(at, at + 2, us(at + 1));
}

test("a frame is split and reported, whichever news of it comes first", () => {
  for (const order of ["told", "shown"]) {
    const meter = aligned();
    if (order === "told")
      meter.told("webrtc", [timing(1, 3000)]);
    meter.presented("webrtc", 90, shown(3000));
    if (order === "shown")
      meter.told("webrtc", [timing(1, 3000)]);
    const [report] = meter.take();
    assert.ok(report && report.sure && report.uncertainty > 1000 && report.uncertainty < 1200, "half of 2 ms, rounding and drift");
    assert.deepEqual(report.frames, [[1, 9000, 12000, 20000]]);
    const { captureToPhoton, inputToPhoton, stages, sure } = meter.summary();
    assert.deepEqual(captureToPhoton, { p50: 20, p95: 20, count: 1 });
    assert.equal(inputToPhoton, null);
    assert.ok(sure);
    assert.deepEqual(Object.fromEntries(Object.entries(stages).map(([name, q]) => [name, q.p50])),
      { capture: 1, encode: 5, send: 1, network: 2, decode: 3, present: 8 });
    assert.deepEqual(meter.take(), [], "once");
  }
});

test("frames of one way are not those of the other", () => {
  const meter = aligned();
  meter.told("websocket", [timing(1, 3000)]);
  meter.presented("webrtc", 90, shown(3000));
  assert.deepEqual(meter.take(), []);
});

test("a frame that was left out is shown by the next one, unless that cannot be known", () => {
  for (const missed of [0, 1])
    for (const order of ["told", "shown"]) {
      const meter = aligned();
      const tell = () => meter.told("webrtc", [timing(1, 3000), timing(2, 3020, { rtpTime: 0x7fffffff })]);
      if (order === "told")
        tell();
      meter.presented("webrtc", 180, { ...shown(3020), missed });
      if (order === "shown")
        tell();
      meter.presented("webrtc", 270, shown(3100));
      assert.deepEqual(meter.take()[0]?.frames, missed ? undefined : [[1, 0, 0, 40000]]);
    }
});

test("a frame waits for the ping after it", () => {
  const meter = aligned(4000);
  meter.told("webrtc", [timing(1, 4100)]);
  meter.presented("webrtc", 90, shown(4100));
  assert.deepEqual(meter.take(), []);
  pings(meter, 5000, 5000);
  assert.equal(meter.take().length, 1);
});

test("no frame is measured across a clock's jump", () => {
  const meter = aligned(4000);
  meter.told("webrtc", [timing(1, 4100)]);
  meter.presented("webrtc", 90, shown(4100));
  meter.pong(5000, 5002, us(5001 + 70000));
  assert.deepEqual(meter.take(), [], "unsure: nothing is said");
  assert.equal(meter.summary().sure, false);
  assert.equal(meter.summary().uncertainty, null);
});

test("input to photon is our clock's alone", () => {
  const meter = aligned();
  meter.happened(2990);
  meter.numbered(key(7), 2992);
  meter.told("webrtc", [timing(1, 3000, { input: 7, sinceInjectionUs: 5000 })]);
  meter.presented("webrtc", 90, shown(3000));
  assert.deepEqual(meter.take()[0]?.frames, [[1, 9000, 12000, 20000, 30000]]);
  const { inputToPhoton, stages } = meter.summary();
  assert.equal(inputToPhoton?.p50, 30);
  assert.equal(stages.input?.p50, 5, "30 − 20 − 5");
  assert.equal(stages.program?.p50, 5);
});

test("what nobody waits for is no input, and an old event is not this one", () => {
  const meter = aligned();
  meter.happened(1000);
  meter.numbered(key(7), 2992);
  meter.numbered(key(8, false), 2993);
  meter.numbered({ type: "pointer", sequence: 9 } as InputRecord, 2994);
  for (const [id, input] of [[1, 7], [2, 8], [3, 9]] as const) {
    meter.told("webrtc", [timing(id, 3000, { input })]);
    meter.presented("webrtc", 90 * id, shown(3000));
  }
  const frames = meter.take()[0]?.frames ?? [];
  assert.deepEqual(frames.map((frame) => frame[4]), [28000, undefined, undefined]);
});

test("a browser that tells little is measured as far as it goes", () => {
  const meter = aligned();
  meter.told("webrtc", [timing(1, 3000, { pictureUs: 0 })]);
  meter.presented("webrtc", 90, { receivedAt: null, decodedAt: null, presentedAt: 3020, missed: 0 });
  assert.deepEqual(meter.take()[0]?.frames, [[1, 0, 0, 20000]]);
  assert.deepEqual(Object.keys(meter.summary().stages), ["send"]);
});

test("far away the clock is not sure, and says so", () => {
  const meter = new LatencyMeter();
  for (let at = 0; at < 5000; at += 1000)
    meter.pong(at, at + 200, us(at + 100));
  meter.told("webrtc", [timing(1, 3000)]);
  meter.presented("webrtc", 90, shown(3000));
  const [report] = meter.take();
  assert.equal(report?.sure, false);
  assert.ok(report && report.uncertainty > 90000);
  assert.equal(meter.summary().sure, false);
});

test("everything is bounded, and reports are of at most 64 frames", () => {
  const meter = aligned(2000);
  for (let i = 1; i <= 5000; i++) {
    meter.numbered(key(i), 2000);
    meter.told("webrtc", [timing(i, 2000 + i)]);
    if (i % 2)
      meter.presented("webrtc", 90 * i, shown(2000 + i));
  }
  pings(meter, 3000, 9000);
  const reports = meter.take();
  assert.deepEqual(reports.map((report) => report.frames.length), [64, 64, 64, 64]);
  assert.equal(meter.summary().captureToPhoton?.count, 256);
});

test("another session is another clock", () => {
  const meter = aligned();
  meter.told("webrtc", [timing(1, 3000)]);
  meter.reset();
  meter.presented("webrtc", 90, shown(3000));
  assert.deepEqual(meter.take(), []);
  assert.equal(meter.summary().uncertainty, null);
});
