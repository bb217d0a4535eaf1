// SPDX-License-Identifier: LGPL-2.1-or-later
// From what a microphone hears to Opus packets of 10 ms, by WebCodecs. 48 kHz, one channel.

const kRate = 48000;
export const kTalkFrame = kRate / 100;

export class TalkEncoder {
  readonly #encoder: AudioEncoder | null = null;
  readonly #frame = new Float32Array(kTalkFrame);
  #filled = 0;
  #time = 0;

  /** `send` gets each packet. Without an encoder in this browser nothing is sent. */
  constructor(send: (packet: Uint8Array) => void) {
    if (typeof AudioEncoder === "undefined")
      return;
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        send(packet);
      },
      error: () => {},
    });
    encoder.configure({ codec: "opus", sampleRate: kRate, numberOfChannels: 1, bitrate: 48000, opus: { frameDuration: 10000 } } as AudioEncoderConfig);
    this.#encoder = encoder;
  }

  close(): void {
    if (this.#encoder && this.#encoder.state !== "closed")
      this.#encoder.close();
  }

  push(samples: Float32Array): void {
    for (let done = 0; done < samples.length;) {
      const count = Math.min(samples.length - done, kTalkFrame - this.#filled);
      this.#frame.set(samples.subarray(done, done + count), this.#filled);
      done += count;
      this.#filled += count;
      if (this.#filled === kTalkFrame)
        this.#encode();
    }
  }

  #encode(): void {
    this.#filled = 0;
    if (this.#encoder?.state !== "configured")
      return;
    const data = new AudioData({ format: "f32", sampleRate: kRate, numberOfFrames: kTalkFrame, numberOfChannels: 1, timestamp: this.#time, data: this.#frame });
    this.#time += 10000;
    this.#encoder.encode(data);
    data.close();
  }
}

/** What a microphone hears comes by a port of its own each time that it is switched on; one at a time. */
export class TalkLine {
  readonly #send: (packet: Uint8Array) => void;
  #end: (() => void) | null = null;

  constructor(send: (packet: Uint8Array) => void) {
    this.#send = send;
  }

  /** Null: nothing more comes. */
  take(port: MessagePort | null): void {
    this.#end?.();
    this.#end = null;
    if (!port)
      return;
    const encoder = new TalkEncoder(this.#send);
    port.onmessage = (event: MessageEvent<Float32Array<ArrayBuffer>>) => encoder.push(event.data);
    this.#end = () => {
      port.onmessage = null;
      port.close();
      encoder.close();
    };
  }
}
