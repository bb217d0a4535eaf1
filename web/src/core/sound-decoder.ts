// SPDX-License-Identifier: LGPL-2.1-or-later
// Opus packets to samples, by WebCodecs. A decoder that fails is replaced.

/** A decoder that failed is not replaced sooner: there may be no end to it. */
const kRestartInterval = 500;

export class SoundDecoder {
  readonly #play: (data: AudioData) => void;
  readonly #now: () => number;
  #decoder: AudioDecoder | null = null;
  #channels = 0;
  #startedAt = -Infinity;

  /** `play` gets the samples, and closes them. */
  constructor(play: (data: AudioData) => void, now = () => performance.now()) {
    this.#play = play;
    this.#now = now;
  }

  /** Sound of so many channels comes from now on. False if this browser does not decode it. */
  start(channels: number): boolean {
    this.stop();
    if (typeof AudioDecoder === "undefined")
      return false;
    this.#channels = channels;
    this.#open();
    return true;
  }

  stop(): void {
    this.#channels = 0;
    this.#close();
  }

  decode(packet: { rtpTime: number; payload: Uint8Array<ArrayBuffer> }): void {
    if (this.#channels > 0 && this.#decoder?.state !== "configured" && this.#now() - this.#startedAt >= kRestartInterval)
      this.#open();
    if (this.#decoder?.state !== "configured")
      return;
    try {
      this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: (packet.rtpTime / 48000) * 1e6, data: packet.payload }));
    } catch {
      this.#close();
    }
  }

  #open(): void {
    this.#close();
    this.#startedAt = this.#now();
    try {
      this.#decoder = new AudioDecoder({ output: (data) => this.#play(data), error: () => {} });
      this.#decoder.configure({ codec: "opus", sampleRate: 48000, numberOfChannels: this.#channels });
    } catch {
      this.#close();
    }
  }

  #close(): void {
    if (this.#decoder && this.#decoder.state !== "closed")
      this.#decoder.close();
    this.#decoder = null;
  }
}
