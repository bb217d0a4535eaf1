// SPDX-License-Identifier: LGPL-2.1-or-later
// Figures made of getStats() reports as Chromium and Firefox write them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatsMeter } from "./stats";

const video = (more: object) => ({
  id: "V", type: "inbound-rtp", kind: "video", transportId: "T", codecId: "C", frameWidth: 1280, frameHeight: 720,
  bytesReceived: 0, framesDecoded: 0, jitterBufferDelay: 0, jitterBufferEmittedCount: 0, totalDecodeTime: 0, ...more,
});
const rest = [
  { id: "C", type: "codec", mimeType: "video/H264" },
  { id: "T", type: "transport", selectedCandidatePairId: "P" },
  { id: "P0", type: "candidate-pair", nominated: true, localCandidateId: "L0", remoteCandidateId: "R0" },
  { id: "P", type: "candidate-pair", currentRoundTripTime: 0.004, localCandidateId: "L", remoteCandidateId: "R" },
  { id: "L", type: "local-candidate", protocol: "udp" }, { id: "R", type: "remote-candidate", protocol: "udp" },
  { id: "R0", type: "remote-candidate", protocol: "tcp" },
];

test("rates are those since the last report", () => {
  const meter = new StatsMeter();
  const first = meter.read([video({ bytesReceived: 1000, framesDecoded: 10 }), ...rest], 1000);
  assert.equal(first?.fps, 0);
  const second = meter.read([
    video({ bytesReceived: 251000, framesDecoded: 70, jitterBufferDelay: 0.3, jitterBufferEmittedCount: 60, totalDecodeTime: 0.12 }),
    { id: "A", type: "inbound-rtp", kind: "audio", bytesReceived: 1000 }, ...rest,
  ], 3000);
  assert.deepEqual(second, {
    fps: 30, bitrate: 1004, roundTrip: 4, transport: "udp", codec: "H264", width: 1280, height: 720, jitterBuffer: 5, decode: 2,
    framesDropped: 0, freezes: 0, packetsLost: 0,
  });
});

test("without a transport report the pair in use is the selected one", () => {
  const stats = new StatsMeter().read([
    video({ transportId: undefined }), { id: "P", type: "candidate-pair", selected: true, remoteCandidateId: "R" },
    { id: "R", type: "remote-candidate", protocol: "tcp" },
  ], 0);
  assert.equal(stats?.transport, "tcp");
  assert.equal(stats?.roundTrip, null);
  assert.equal(stats?.codec, "");
});

test("a new connection that counts from zero gives no negative rates", () => {
  const meter = new StatsMeter();
  meter.read([video({ bytesReceived: 90000, framesDecoded: 900 }), ...rest], 0);
  const stats = meter.read([video({ bytesReceived: 100, framesDecoded: 1 }), ...rest], 1000);
  assert.ok(stats && stats.fps >= 0 && stats.bitrate >= 0);
});

test("no video, no figures", () => {
  assert.equal(new StatsMeter().read([], 0), null);
});
