// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound between decoder and loudspeaker: starts with a little in hand, and gives back by and by what it turns out not to need. 48 kHz.

const kPerMs = 48;
/** Samples in hand before sound starts, and again after it ran dry; and how many more than are to be spare. */
export const kSoundStart = 40 * kPerMs;
const kStartAbove = 20 * kPerMs;
/** More than this is late: the oldest goes. */
export const kSoundMost = 120 * kPerMs;
/** What is in hand when there is least, where sound comes evenly; where it ran dry more, and less again when that is long ago. */
export const kLeastSpare = 10 * kPerMs;
const kMostSpare = 60 * kPerMs;
const kSpareStep = 5 * kPerMs;
const kSteady = 10_000 * kPerMs;
/** Silence that is longer was the end of a sound, and nothing that came too late. */
const kPause = 500 * kPerMs;
/** How long it looks for the least before it shortens. */
const kWatch = 2000 * kPerMs;
/** Shortening: this much at a time, so that nobody hears it, with so much between. */
const kCut = 5 * kPerMs;
const kCutRest = 200 * kPerMs;

export class SoundBuffer {
  #blocks: Float32Array[][] = [];
  #offset = 0;
  #waiting = 0;
  #playing = false;
  #spare = kLeastSpare;
  #least = Infinity;
  #surplus = 0;
  #watched = 0;
  #sinceCut = 0;
  /** Samples played since something came too late, and silence since the sound ran dry. */
  #steady = 0;
  #dry = Infinity;

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
    if (!this.#playing && this.#waiting >= Math.max(kSoundStart, this.#spare + kStartAbove))
      this.#begin();
  }

  /** Fills every channel; silence where there is no sound. */
  pull(channels: Float32Array[]): void {
    const length = channels[0]?.length ?? 0;
    if (this.#playing)
      this.#shorten(length);
    const done = this.#playing ? this.#take(channels, length) : 0;
    for (const channel of channels)
      channel.fill(0, done);
    if (done < length)
      this.#dry = this.#playing ? length - done : this.#dry + length;
    this.#playing &&= done === length;
    this.#least = Math.min(this.#least, this.#waiting);
  }

  #begin(): void {
    this.#playing = true;
    if (this.#dry < kPause) {
      this.#spare = Math.min(kMostSpare, 2 * this.#spare);
      this.#steady = 0;
    }
    this.#surplus = 0;
    this.#watch();
  }

  #watch(): void {
    this.#least = Infinity;
    this.#watched = 0;
  }

  /** Gives back what has not been needed for a while, a cut at a time. */
  #shorten(length: number): void {
    this.#watched += length;
    this.#sinceCut += length;
    this.#steady += length;
    if (this.#steady > kSteady && this.#spare > kLeastSpare) {
      this.#spare -= kSpareStep;
      this.#steady = 0;
    }
    if (this.#watched > kWatch) {
      this.#surplus = this.#least - this.#spare;
      this.#watch();
    }
    // There is less in hand than there was: it is needed after all.
    if (this.#waiting < this.#spare + 2 * kCut)
      this.#surplus = 0;
    if (this.#surplus < kCut || this.#sinceCut < kCutRest)
      return;
    this.#surplus -= kCut;
    this.#sinceCut = 0;
    this.#cut();
    this.#watch();
  }

  /** Twice kCut becomes once: the first fades into the second. */
  #cut(): void {
    const count = this.#blocks[0]?.length ?? 0;
    const [first, second] = [0, 1].map(() => {
      const part = Array.from({ length: count }, () => new Float32Array(kCut));
      this.#take(part, kCut);
      return part;
    }) as [Float32Array[], Float32Array[]];
    for (const [i, faded] of first.entries())
      faded.forEach((value, at) => (faded[at] = value + ((second[i]?.[at] ?? value) - value) * (at / kCut)));
    if (this.#offset > 0 && this.#blocks[0]) {
      this.#blocks[0] = this.#blocks[0].map((samples) => samples.subarray(this.#offset));
      this.#offset = 0;
    }
    this.#blocks.unshift(first);
    this.#waiting += kCut;
  }

  /** Takes up to `length` samples; how many there were. */
  #take(channels: Float32Array[], length: number): number {
    let done = 0;
    while (done < length) {
      const block = this.#blocks[0], first = block?.[0];
      if (!block || !first)
        break;
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
    return done;
  }

  #shift(): void {
    this.#waiting -= (this.#blocks.shift()?.[0]?.length ?? 0) - this.#offset;
    this.#offset = 0;
  }
}
