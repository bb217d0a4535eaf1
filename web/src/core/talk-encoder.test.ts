// SPDX-License-Identifier: LGPL-2.1-or-later
// Encoders and ports of the microphone against fakes: one of each at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TalkLine, kTalkFrame } from "./talk-encoder";

class FakeEncoder {
  static all: FakeEncoder[] = [];
  state = "unconfigured";
  readonly #output: (chunk: unknown) => void;

  constructor(init: { output: (chunk: unknown) => void }) {
    this.#output = init.output;
    FakeEncoder.all.push(this);
  }
  configure(): void {
    this.state = "configured";
  }
  encode(): void {
    this.#output({ byteLength: 3, copyTo: () => {} });
  }
  close(): void {
    assert.notEqual(this.state, "closed", "WebCodecs throws");
    this.state = "closed";
  }
}
class FakeAudioData {
  close(): void {}
}
class FakePort {
  onmessage: ((event: { data: Float32Array }) => void) | null = null;
  closed = false;
  close(): void {
    this.closed = true;
  }
}
Object.assign(globalThis, { AudioEncoder: FakeEncoder, AudioData: FakeAudioData });

test("a microphone that is switched on again leaves no encoder and no port behind", () => {
  let sent = 0;
  const line = new TalkLine(() => sent++), ports = [new FakePort(), new FakePort(), new FakePort()];
  const states = () => FakeEncoder.all.map(({ state }) => state);
  for (const port of ports)
    line.take(port as unknown as MessagePort);
  assert.deepEqual(states(), ["closed", "closed", "configured"]);
  assert.deepEqual(ports.map(({ closed }) => closed), [true, true, false]);
  ports[2]!.onmessage?.({ data: new Float32Array(2 * kTalkFrame) });
  assert.equal(sent, 2);
  line.take(null);
  line.take(null);
  assert.deepEqual(states(), ["closed", "closed", "closed"]);
  assert.equal(ports[2]!.closed, true);
});
