// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { SoundBuffer, kLeastSpare, kSoundMost, kSoundStart } from "./sound-buffer";

test("sound starts with a little in hand, keeps its order, and never gets late", () => {
  const buffer = new SoundBuffer(), out = [new Float32Array(128), new Float32Array(128)];
  const push = (value: number, length = 960) => buffer.push([new Float32Array(length).fill(value), new Float32Array(length).fill(-value)]);
  push(1);
  buffer.pull(out);
  assert.equal(out[0]![0], 0, "not yet");
  push(2);
  assert.equal(buffer.waiting, kSoundStart);
  buffer.pull(out);
  assert.deepEqual([out[0]![0], out[1]![127]], [1, -1]);
  for (let i = 0; i < 7; i++)
    buffer.pull(out);
  assert.deepEqual([out[0]![63], out[0]![64]], [1, 2], "over the edge of a block");
  for (let i = 0; i < 100; i++)
    push(3);
  assert.ok(buffer.waiting <= kSoundMost, String(buffer.waiting));
  for (let i = 0; i < 60; i++)
    buffer.pull(out);
  assert.deepEqual([buffer.waiting, out[0]![127]], [0, 0], "silence when there is none");
  push(1);
  buffer.pull(out);
  assert.equal(out[0]![0], 0, "a little in hand again");
});

/** A tone that comes in pieces of 10 ms, each `late(its number)` ms after its time, and is played in blocks as browsers do. */
class Playing {
  readonly buffer = new SoundBuffer();
  readonly heard: number[] = [];
  #pieces = 0;
  #played = 0;

  constructor(private readonly late: (piece: number) => number) {}

  #piece(): Float32Array {
    return Float32Array.from({ length: 480 }, (_, i) => Math.sin((2 * Math.PI * 440 * (480 * this.#pieces + i)) / 48000));
  }

  /** Plays for so long; the least and the most that was in hand in the last second of it, in ms. */
  run(seconds: number): { least: number; most: number } {
    const end = this.#played + 48000 * seconds, out = [new Float32Array(128)];
    let least = Infinity, most = 0;
    for (; this.#played < end; this.#played += 128) {
      while (10 * this.#pieces + this.late(this.#pieces) <= this.#played / 48) {
        this.buffer.push([this.#piece()]);
        this.#pieces++;
      }
      this.buffer.pull(out);
      this.heard.push(...(out[0] as Float32Array));
      if (this.#played < end - 48000)
        continue;
      least = Math.min(least, this.buffer.waiting / 48);
      most = Math.max(most, this.buffer.waiting / 48);
    }
    return { least, most };
  }

  /** Silent stretches of more than 1 ms after the first second. */
  get gaps(): number {
    let gaps = 0, quiet = 0;
    for (const value of this.heard.slice(48000)) {
      quiet = value === 0 ? quiet + 1 : 0;
      gaps += Number(quiet === 48);
    }
    return gaps;
  }
}

test("sound that comes evenly is soon played with no more in hand than that takes", () => {
  const playing = new Playing(() => 0);
  const { least, most } = playing.run(8);
  assert.ok(least >= kLeastSpare / 48 && most < 30, `${least} to ${most} ms`);
  assert.equal(playing.gaps, 0);
});

test("what has piled up goes, unheard", () => {
  // 60 ms late for two seconds, and then all at once and in time again.
  const playing = new Playing((piece) => (piece < 200 ? 60 : 0));
  assert.ok(playing.run(2.2).most > 70);
  const { most } = playing.run(12);
  assert.ok(most < 30, `${most} ms`);
  assert.equal(playing.gaps, 0);
  const steps = playing.heard.slice(48000).map((value, i, all) => Math.abs(value - (all[i - 1] ?? value)));
  assert.ok(steps.reduce((most, step) => Math.max(most, step), 0) < 0.07, "a tone of 440 Hz has steps of at most 0.058; nothing clicks");
});

test("sound that comes unevenly is given what it needs", () => {
  // Every fourth second something comes 45 ms late.
  const playing = new Playing((piece) => (piece % 400 < 5 ? 45 - 10 * (piece % 400) : 0));
  playing.run(30);
  const early = playing.gaps;
  assert.ok(early > 0, "it could not know");
  playing.run(30);
  assert.equal(playing.gaps, early);
});
