// SPDX-License-Identifier: LGPL-2.1-or-later
// Opus packets of 10 ms from samples as they come, by WebCodecs. 48 kHz, one channel.

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
