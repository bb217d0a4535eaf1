// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { type VideoStream, decodableCodecs, h264Codec, parseStreams, videoConfig, whyNoDecoder } from "./decoder-config";
import type { Codec } from "./messages";
import { chosenTransports, rememberTransport, rememberedTransport, transportOf } from "./transport";

const annexB = (...units: number[][]) => new Uint8Array(units.flatMap((unit) => [0, 0, 0, 1, ...unit]));
const stream = (codec: Codec, profile = ""): VideoStream => ({ codec, profile, color: null });

test("the H.264 profile and level are those of the sequence parameter set", () => {
  assert.equal(h264Codec(annexB([9, 0xf0], [0x67, 0x42, 0xc0, 0x1f, 1], [0x68, 1], [0x65, 1, 2, 3, 4])), "avc1.42c01f");
  assert.equal(h264Codec(new Uint8Array([0, 0, 1, 0x67, 0x64, 0x00, 0x0a, 1])), "avc1.64000a");
  assert.equal(h264Codec(annexB([0x65, 1, 2, 3, 4, 5, 6], [0x67, 0x42, 0xc0, 0x1f])), null, "after the picture is too late");
  for (const bytes of [[], [0, 0, 1], [0, 0, 1, 0x67, 0x42], [1, 2, 3, 4, 5, 6, 7, 8]])
    assert.equal(h264Codec(new Uint8Array(bytes)), null, String(bytes));
});

test("each codec has its configuration, for the lowest latency", () => {
  const none = new Uint8Array(1);
  assert.deepEqual(videoConfig(stream("VP8"), none), { codec: "vp8", optimizeForLatency: true });
  assert.equal(videoConfig(stream("VP9"), none)?.codec, "vp09.00.10.08");
  assert.equal(videoConfig(stream("VP9", "1"), none)?.codec, "vp09.01.10.08");
  assert.equal(videoConfig(stream("VP9", "<script>"), none)?.codec, "vp09.00.10.08");
  assert.equal(videoConfig(stream("H264"), none), null);
  const color = { matrix: "bt709", primaries: "bt709", transfer: "bt709", fullRange: false } as const;
  assert.deepEqual(videoConfig({ ...stream("VP8"), color }, none)?.colorSpace, color);
});

test("the message on streams is read, and nothing of it trusted", () => {
  const color = { matrix: "bt709", primaries: "bt709", transfer: "bt709", fullRange: false };
  assert.deepEqual(parseStreams(JSON.stringify({ type: "streams", video: { codec: "H264", profile: "high", color }, audio: { codec: "OPUS", channels: 2 } })),
    { video: { codec: "H264", profile: "high", color }, audio: { codec: "OPUS", channels: 2 } });
  assert.deepEqual(parseStreams('{"type":"streams"}'), { video: null, audio: null });
  assert.deepEqual(parseStreams('{"type":"streams","video":{"codec":"MPEG1"},"audio":{"codec":"OPUS","channels":99}}'), { video: null, audio: null });
  assert.equal(parseStreams(JSON.stringify({ type: "streams", video: { codec: "VP8", color: { ...color, matrix: "evil" } } }))?.video?.color, null);
  for (const text of ["", "null", "[]", "7", '{"type":"novel"}', "{"])
    assert.equal(parseStreams(text), null, text);
});

test("what a browser decodes, and why it does not", async () => {
  const full = {
    VideoDecoder: { isConfigSupported: ({ codec }: { codec: string }) => codec === "vp8" ? Promise.resolve({ supported: true })
      : codec.startsWith("avc1") ? Promise.reject(new Error("no")) : Promise.resolve({ supported: false }) },
    OffscreenCanvas: 1, Worker: 1, isSecureContext: true,
  };
  assert.equal(whyNoDecoder(full), "");
  assert.deepEqual(await decodableCodecs(["H264", "VP8", "VP9"], full), ["VP8"]);
  assert.match(whyNoDecoder({ Worker: 1, isSecureContext: false }), /https pages and localhost/);
  assert.match(whyNoDecoder({ Worker: 1, isSecureContext: true }), /has no WebCodecs/);
  assert.deepEqual(await decodableCodecs(["VP8"], {}), []);
});

test("the wanted transport comes from the address, or from before", () => {
  assert.equal(transportOf("?transport=websocket"), "websocket");
  assert.equal(transportOf("?a=1&transport=auto"), "auto");
  assert.equal(transportOf("?transport=pigeon"), null);
  assert.equal(transportOf(""), null);
  const kept = new Map<string, string>();
  const store = () => ({ getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) });
  assert.equal(rememberedTransport(store), "auto");
  rememberTransport(store, "webrtc");
  assert.equal(rememberedTransport(store), "webrtc");
  const forbidden = () => { throw new Error("no storage"); };
  rememberTransport(forbidden, "webrtc");
  assert.equal(rememberedTransport(forbidden), "auto");
  assert.deepEqual(chosenTransports("auto"), ["webrtc", "websocket"]);
  assert.deepEqual(chosenTransports("websocket"), ["websocket"]);
});
