// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the same vectors as tests/unit/test-frame-record.cpp.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { decodeFrame, encodeAcks, encodeTalk } from "./frame-record";

interface Vectors {
  frames: { name: string; hex: string; kind: string; key: number; id: number; nonce: number; rtp: number; capture: number; payload: string }[];
  invalid_frames: { name: string; hex: string }[];
  acks: { name: string; hex: string; acks: { id: number; nonce: number; received: number; queue: number }[] }[];
  talk: { name: string; hex: string; packet: string }[];
}
const vectors = JSON.parse(readFileSync(path.join(process.env["VITRINE_VECTORS_DIR"] ?? "", "frames.json"), "utf8")) as Vectors;
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

test("frames are read", () => {
  for (const { name, hex, kind, key, id, nonce, rtp, capture, payload } of vectors.frames) {
    const frame = decodeFrame(bytes(hex).buffer);
    assert.ok(frame, name);
    assert.deepEqual([frame.kind, frame.key, frame.id, frame.nonce, frame.rtpTime, frame.captureUs], [kind, key === 1, id, nonce, rtp, capture], name);
    assert.equal(Buffer.from(frame.payload).toString("hex"), payload, name);
  }
});

test("what is no frame is refused", () => {
  for (const { name, hex } of vectors.invalid_frames)
    assert.equal(decodeFrame(bytes(hex).buffer), null, name);
});

test("acknowledgements are written", () => {
  for (const { name, hex, acks } of vectors.acks) {
    const written = encodeAcks(acks.map(({ id, nonce, received, queue }) => ({ id, nonce, receivedUs: received, queue })));
    assert.equal(Buffer.from(written).toString("hex"), hex, name);
  }
  // Clocks of browsers have fractions and go on beyond 2³² µs; queues may be any length.
  const late = encodeAcks([{ id: 1, nonce: 0, receivedUs: 2 ** 32 + 5.7, queue: 1e6 }]);
  assert.equal(Buffer.from(late.subarray(12)).toString("hex"), "00000005ffff0000");
});

test("what the user says is written", () => {
  assert.ok(vectors.talk.length > 0);
  for (const { name, hex, packet } of vectors.talk)
    assert.equal(Buffer.from(encodeTalk(bytes(packet))).toString("hex"), hex, name);
});
