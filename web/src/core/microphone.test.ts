// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { Microphone, whyNoMicrophone } from "./microphone";
import { receivingSections } from "./peer";
import { settle } from "./testing";

class FakeTrack extends EventTarget {
  stopped = false;
  stop(): void {
    this.stopped = true;
  }
}

function setup(give: () => Promise<FakeTrack>) {
  const asked: MediaStreamConstraints[] = [], told: string[] = [];
  const devices = {
    getUserMedia: async (constraints: MediaStreamConstraints) => {
      asked.push(constraints);
      const track = await give();
      return { getAudioTracks: () => [track] } as unknown as MediaStream;
    },
  };
  const microphone = new Microphone({ devices, secure: true });
  microphone.on("state", ({ state, problem }) => told.push(problem ? `${state}: ${problem}` : state));
  microphone.on("ask", (on) => told.push(`ask ${on}`));
  microphone.on("track", (track) => told.push(track ? "track" : "no track"));
  return { microphone, asked, told };
}

test("on is what the browser and the server have agreed to; off again at the user's word", async () => {
  const track = new FakeTrack();
  const { microphone, told } = setup(async () => track);
  await microphone.start();
  assert.deepEqual(told, ["asking", "track", "ask true"]);
  assert.equal(microphone.state, "asking");
  microphone.answered(true, "");
  assert.equal(microphone.state, "on");
  microphone.stop();
  assert.deepEqual(told.slice(3), ["on", "no track", "ask false", "off"]);
  assert.ok(track.stopped);
  microphone.answered(false, "");
  assert.equal(told.length, 7, "the server's answer to that is no news");
});

test("a refusal says why, whoever refuses", async () => {
  const no = setup(() => Promise.reject(Object.assign(new Error(), { name: "NotAllowedError" })));
  await no.microphone.start();
  assert.deepEqual(no.told, ["asking", "off: the browser was told not to give its microphone"]);
  const track = new FakeTrack(), server = setup(async () => track);
  await server.microphone.start();
  server.microphone.answered(false, "control");
  assert.deepEqual(server.told.slice(3), ["no track", "ask false", "off: only who has control is heard"]);
  assert.ok(track.stopped);
  const plain = new Microphone({ devices: undefined, secure: false });
  await plain.start();
  assert.equal(plain.state, "off");
  assert.match(whyNoMicrophone({ devices: undefined, secure: false }), /https/);
});

test("who changes his mind while the browser asks is not heard", async () => {
  const track = new FakeTrack();
  let give: (track: FakeTrack) => void = () => {};
  const { microphone, told } = setup(() => new Promise((resolve) => (give = resolve)));
  const started = microphone.start();
  microphone.stop();
  give(track);
  await started;
  assert.ok(track.stopped);
  assert.deepEqual(told, ["asking", "off"]);
});

test("a microphone that is pulled out is off; one that is heard asks again after a new welcome; settings reach the browser", async () => {
  const track = new FakeTrack();
  const { microphone, told, asked } = setup(async () => track);
  microphone.resume();
  assert.deepEqual(told, []);
  microphone.device = "usb";
  microphone.processing = false;
  await microphone.start();
  microphone.answered(true, "");
  microphone.resume();
  assert.equal(told.at(-1), "ask true");
  assert.deepEqual(asked[0]!.audio, { deviceId: { exact: "usb" }, channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false });
  track.dispatchEvent(new Event("ended"));
  await settle();
  assert.equal(told.at(-1), "off: the microphone is gone");
});

test("the section for the microphone is the one in which the server only receives sound", () => {
  const sdp = "v=0\r\nm=video 9 x 96\r\na=mid:video0\r\na=sendonly\r\nm=audio 9 x 111\r\na=mid:audio1\r\na=sendonly\r\nm=audio 9 x 112\r\na=mid:audio2\r\na=recvonly\r\n";
  assert.deepEqual(receivingSections(sdp), ["audio2"]);
  assert.deepEqual(receivingSections(sdp.replace("a=recvonly", "a=sendrecv")), []);
});
