// SPDX-License-Identifier: LGPL-2.1-or-later
// The decoder of sound against a fake of the browser's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SoundDecoder } from "./sound-decoder";

class FakeDecoder {
  static all: FakeDecoder[] = [];
  state = "unconfigured";
  decoded = 0;
  readonly #init: { output: (data: unknown) => void; error: () => void };

  constructor(init: { output: (data: unknown) => void; error: () => void }) {
    this.#init = init;
    FakeDecoder.all.push(this);
  }
  configure(): void {
    this.state = "configured";
  }
  decode(): void {
    assert.equal(this.state, "configured");
    this.decoded++;
    this.#init.output("samples");
  }
  close(): void {
    assert.notEqual(this.state, "closed", "WebCodecs throws");
    this.state = "closed";
  }
  fail(): void {
    this.state = "closed";
    this.#init.error();
  }
}
class FakeChunk {}
Object.assign(globalThis, { AudioDecoder: FakeDecoder, EncodedAudioChunk: FakeChunk });

test("sound goes on after an error of the decoder, and not by endless decoders", () => {
  let now = 0, played = 0;
  const sound = new SoundDecoder(() => played++, () => now);
  const hear = () => sound.decode({ rtpTime: 480 * now, payload: new Uint8Array(4) });
  hear();
  assert.equal(FakeDecoder.all.length, 0, "no stream yet");
  assert.equal(sound.start(2), true);
  hear();
  assert.equal(played, 1);
  now = 1000;
  FakeDecoder.all[0]!.fail();
  hear();
  assert.deepEqual([FakeDecoder.all.length, played], [2, 2]);
  FakeDecoder.all[1]!.fail();
  for (now = 1010; now < 1500; now += 10)
    hear();
  assert.deepEqual([FakeDecoder.all.length, played], [2, 2], "not at once again");
  hear();
  assert.deepEqual([FakeDecoder.all.length, played], [3, 3]);
  sound.start(1);
  assert.equal(FakeDecoder.all[2]!.state, "closed");
  hear();
  sound.stop();
  now = 9000;
  hear();
  assert.deepEqual([FakeDecoder.all.length, played, FakeDecoder.all[3]!.state], [4, 4, "closed"]);
});
