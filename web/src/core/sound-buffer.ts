// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound between decoder and loudspeaker: starts with a little in hand, throws away what would make it late. 48 kHz.

/** Samples in hand before sound starts, and again after it ran dry: 40 ms. */
export const kSoundStart = 1920;
/** More than this is late: the oldest goes. 120 ms. */
export const kSoundMost = 5760;

export class SoundBuffer {
  #blocks: Float32Array[][] = [];
  #offset = 0;
  #waiting = 0;
  #playing = false;

  /** Samples in hand. */
  get waiting(): number {
    return this.#waiting;
  }

  push(channels: Float32Array[]): void {
    if (!channels[0]?.length)
      return;
    this.#blocks.push(channels);
    this.#waiting += channels[0].length;
    while (this.#waiting > kSoundMost && this.#blocks.length > 1)
      this.#shift();
    this.#playing ||= this.#waiting >= kSoundStart;
  }

  /** Fills every channel; silence where there is no sound. */
  pull(channels: Float32Array[]): void {
    const length = channels[0]?.length ?? 0;
    let done = 0;
    while (this.#playing && done < length) {
      const block = this.#blocks[0], first = block?.[0];
      if (!block || !first) {
        this.#playing = false;
        break;
      }
      const count = Math.min(length - done, first.length - this.#offset);
      channels.forEach((channel, i) =>
        channel.set((block[i] ?? first).subarray(this.#offset, this.#offset + count), done));
      done += count;
      this.#offset += count;
      this.#waiting -= count;
      if (this.#offset === first.length) {
        this.#blocks.shift();
        this.#offset = 0;
      }
    }
    for (const channel of channels)
      channel.fill(0, done);
  }

  #shift(): void {
    this.#waiting -= (this.#blocks.shift()?.[0]?.length ?? 0) - this.#offset;
    this.#offset = 0;
  }
}
