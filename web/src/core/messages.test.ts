// SPDX-License-Identifier: LGPL-2.1-or-later
// The parser of server messages, with what a server should and should not say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { kMessageMax, parseServerMessage } from "./messages";

const parse = (value: unknown) => parseServerMessage(JSON.stringify(value));
const welcome = {
  type: "welcome", version: 1, peer: "p1", resume: "r1", role: "control", title: "Desk", server: "vitrine 0.1", microphone: true,
  media: [{ kind: "video", codec: "H264" }, { kind: "audio", codec: "OPUS" }],
  transports: ["webrtc", "websocket"], token: "f00d", files: { upload: 100, download: true },
};

test("every message of the protocol is read", () => {
  const messages = [
    welcome,
    { type: "microphone", on: false, reason: "control" },
    { type: "offer", id: 3, sdp: "v=0\r\n", iceServers: [], iceTransportPolicy: "all" },
    { type: "offer", id: 4, sdp: "v=0", iceServers: [{ urls: ["turn:a:1"], username: "u", credential: "c" }], iceTransportPolicy: "relay" },
    { type: "ice-servers", iceServers: [{ urls: ["stun:a:1"] }], iceTransportPolicy: "all" },
    { type: "candidate", candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host", mid: "0" },
    { type: "pong", t: 1.5, server: 99 },
    { type: "control", holder: null, you: false, name: "" },
    { type: "control", holder: "p1", you: true, name: "Ada" },
    { type: "control-asked", peer: "p2", name: "Bob" },
    { type: "viewers", count: 2 },
    { type: "notice", level: "warning", text: "slow", topic: "encoder" },
    { type: "error", code: "busy", message: "full", retry: true },
    { type: "desktop/clipboard", text: "x" },
  ];
  for (const message of messages)
    assert.deepEqual(parse(message), { message });
});

test("optional members have their meaning when they are missing", () => {
  assert.deepEqual(parse({ type: "error", code: "busy", message: "full" }),
    { message: { type: "error", code: "busy", message: "full", retry: true } });
  assert.deepEqual(parse({ type: "control", holder: null, you: false }),
    { message: { type: "control", holder: null, you: false, name: "" } });
  assert.deepEqual(parse({ type: "notice", level: "info", text: "hello" }),
    { message: { type: "notice", level: "info", text: "hello", topic: "" } });
});

test("unknown types and members are ignored", () => {
  for (const type of ["novel", "", "__proto__", "constructor", "toString", "hasOwnProperty"])
    assert.deepEqual(parse({ type }), { message: null }, type);
  assert.deepEqual(parse({ ...welcome, transports: ["pigeon", "websocket"] }), { message: { ...welcome, transports: ["websocket"] } });
  assert.deepEqual(parse({ ...welcome, novel: [1, { a: 2 }] }), { message: welcome });
  assert.deepEqual(parse({ ...welcome, files: undefined }), { message: { ...welcome, files: { upload: 0, download: false } } });
});

test("hostile frames are a problem with a reason, never an exception", () => {
  const hostile: [string, RegExp][] = [
    ["", /not JSON/],
    ["{", /not JSON/],
    ["\u0000", /not JSON/],
    ["null", /not an object/],
    ["[]", /not an object/],
    ["7", /not an object/],
    ["\"offer\"", /not an object/],
    ["{}", /no type/],
    ["{\"type\":7}", /no type/],
    ["{\"type\":null}", /no type/],
    ["{\"__proto__\":{\"type\":\"viewers\"}}", /no type/],
    ["[".repeat(60000), /not JSON|not an object/],
    [" ".repeat(kMessageMax + 1), /too long/],
  ];
  for (const [text, problem] of hostile) {
    const parsed = parseServerMessage(text);
    assert.ok("problem" in parsed, text.slice(0, 40));
    assert.match(parsed.problem, problem);
  }
});

test("a member that is missing or of the wrong kind is named", () => {
  const wrong: [unknown, RegExp][] = [
    [{ type: "offer", sdp: "v=0" }, /offer\.id is not a number/],
    [{ type: "offer", id: "1", sdp: "v=0" }, /offer\.id is not a number/],
    [{ type: "offer", id: 1, sdp: "v=0", iceServers: {} }, /offer\.iceServers is not a short array/],
    [{ type: "ice-servers", iceServers: [7] }, /iceServers holds something that is not an object/],
    [{ type: "ice-servers", iceServers: [{ urls: "turn:a" }] }, /iceServers\.urls is no short array/],
    [{ type: "ice-servers", iceTransportPolicy: "none" }, /iceTransportPolicy is none of all, relay/],
    [{ type: "offer", id: 1, sdp: { toString: "v=0" } }, /offer\.sdp is not a string/],
    [{ type: "candidate", candidate: "x" }, /candidate\.mid is not a string/],
    [{ type: "control", holder: 1, you: true }, /control\.holder is not a string/],
    [{ type: "control", holder: null, you: "yes" }, /control\.you is not a boolean/],
    [{ type: "viewers", count: null }, /viewers\.count is not a number/],
    [{ type: "notice", level: "fatal", text: "" }, /notice\.level is none of/],
    [{ type: "error", code: "x", message: "y", retry: 1 }, /error\.retry is not a boolean/],
    [{ ...welcome, files: [] }, /welcome\.files is not an object/],
    [{ ...welcome, files: { upload: "much" } }, /welcome\.files\.upload is not a number/],
    [{ ...welcome, files: { download: 1 } }, /welcome\.files\.download is not a boolean/],
    [{ ...welcome, microphone: 1 }, /welcome\.microphone is not a boolean/],
    [{ type: "microphone", on: "yes" }, /microphone\.on is not a boolean/],
    [{ ...welcome, role: "root" }, /welcome\.role is none of/],
    [{ ...welcome, transports: "webrtc" }, /welcome\.transports is not a short array/],
    [{ type: "path" }, /path\.alive is not a boolean/],
    [{ ...welcome, media: {} }, /welcome\.media is not a short array/],
    [{ ...welcome, media: new Array(17).fill(welcome.media[0]) }, /welcome\.media is not a short array/],
    [{ ...welcome, media: [null] }, /not an object/],
    [{ ...welcome, media: [{ kind: "smell", codec: "H264" }] }, /media\.kind is none of/],
  ];
  for (const [value, problem] of wrong) {
    const parsed = parse(value);
    assert.ok("problem" in parsed, JSON.stringify(value));
    assert.match(parsed.problem, problem);
  }
});

test("texts for the user's eyes are cut to a length that fits the page", () => {
  const parsed = parse({ type: "notice", level: "info", text: "x".repeat(50000) });
  assert.ok("message" in parsed && parsed.message?.type === "notice" && String(parsed.message["text"]).length === 1000);
});

test("frames are read, and refused when they are not what they should be", () => {
  const read = (frames: unknown, more: object = {}) => parseServerMessage(JSON.stringify({ type: "frames", way: "webrtc", base: 1000, frames, ...more }));
  assert.deepEqual(read([[1, 4000000000, 0, 10, 60, 70, 42, 3000], [2, 7, 50, 0, 60, 70]]), {
    message: {
      type: "frames", way: "webrtc", frames: [
        { id: 1, rtpTime: 4000000000, captureUs: 1000, pictureUs: 10, encodedUs: 60, sentUs: 70, input: 42, sinceInjectionUs: 3000 },
        { id: 2, rtpTime: 7, captureUs: 1050, pictureUs: 0, encodedUs: 60, sentUs: 70, input: 0, sinceInjectionUs: 0 },
      ],
    },
  });
  for (const wrong of [null, "x", [1], [[1, 2, 3]], [[1, 2, 3, 4, 5, "6"]], [[1, 2, 3, 4, 5, 1.5]], [[1, 2, 3, 4, 5, 6, 7]], Array(300).fill([1, 2, 3, 4, 5, 6])])
    assert.ok("problem" in read(wrong), JSON.stringify(wrong)?.slice(0, 60));
  assert.ok("problem" in read([], { way: "pigeon" }));
  assert.ok("problem" in read([], { base: "now" }));
});
