// SPDX-License-Identifier: LGPL-2.1-or-later
// Two clocks, made up: how far is what is said of them from the truth, and does it know?
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockAlignment } from "./clock-alignment";

interface World { offset: number; skew: number; there: (i: number) => number; back: (i: number) => number }

/** Numbers that look random and are the same each time. */
function random(): () => number {
  let state = 12345;
  return () => ((state = (state * 1103515245 + 12345) % 2147483648), state / 2147483648);
}

/** The server's clock at a time of ours. */
const serverAt = (world: World, at: number) => at * (1 + world.skew) + world.offset;

/** One ping per second; after each, `check` is given the truth. */
function ping(alignment: ClockAlignment, world: World, from: number, count: number, check?: (at: number, truth: number) => void): number {
  let at = from;
  for (let i = 0; i < count; i++, at += 1000) {
    const there = world.there(i), came = at + there + world.back(i);
    alignment.add(at, came, serverAt(world, at + there));
    check?.(came, serverAt(world, came) - came);
  }
  return at;
}

/** Every alignment contains the truth; returns the last uncertainty. */
function holds(world: World, count = 120): number {
  const alignment = new ClockAlignment();
  let last = Infinity;
  ping(alignment, world, 5000, count, (at, truth) => {
    const found = alignment.align(at);
    if (!found)
      return;
    assert.ok(Math.abs(found.offset - truth) <= found.uncertainty + 1e-6, `at ${at}: ${found.offset} ± ${found.uncertainty}, truly ${truth}`);
    last = found.uncertainty;
  });
  assert.equal(alignment.jumps, 0);
  return last;
}

test("nothing is said before pings agree", () => {
  const alignment = new ClockAlignment();
  const world = { offset: 1e6, skew: 0, there: () => 1, back: () => 1 };
  ping(alignment, world, 0, 2);
  assert.equal(alignment.align(2000), null);
  assert.equal(alignment.confirmedUntil, -Infinity);
  ping(alignment, world, 2000, 1);
  assert.ok(alignment.align(3000));
  assert.equal(alignment.confirmedUntil, 2000);
});

test("the fastest ping bounds the error by half its round trip", () => {
  const rand = random();
  const uncertainty = holds({ offset: 123456789, skew: 0, there: () => 2 + 40 * rand() ** 4, back: () => 2 + 40 * rand() ** 4 });
  assert.ok(uncertainty < 4, `${uncertainty}`);
});

test("the truth stays inside, with all the delay on one side", () => {
  holds({ offset: -5000, skew: 0, there: () => 0, back: () => 30 });
  holds({ offset: -5000, skew: 0, there: () => 30, back: () => 0 });
});

test("and while the clocks drift apart", () => {
  const rand = random();
  for (const skew of [-150e-6, 50e-6, 150e-6]) {
    const uncertainty = holds({ offset: 1e9, skew, there: () => 1 + 10 * rand() ** 6, back: () => 1 + 10 * rand() ** 6 }, 600);
    assert.ok(uncertainty < 4, `${skew}: ${uncertainty}`);
  }
});

test("one slow ping changes nothing", () => {
  const alignment = new ClockAlignment();
  const world = { offset: 1000, skew: 0, there: () => 1, back: () => 1 };
  const at = ping(alignment, world, 0, 10);
  const before = alignment.align(at);
  alignment.add(at, at + 900, serverAt(world, at + 880));
  const after = alignment.align(at);
  assert.equal(alignment.jumps, 0);
  assert.ok(before && after && after.uncertainty <= before.uncertainty + 0.3);
});

test("a clock that jumps, forth or back, is noticed and aligned anew", () => {
  for (const jump of [-3600000, -60, 60, 3600000]) {
    const alignment = new ClockAlignment();
    const world = { offset: 1000, skew: 0, there: () => 5, back: () => 5 };
    let at = ping(alignment, world, 0, 20);
    world.offset += jump;
    at = ping(alignment, world, at, 1);
    assert.equal(alignment.jumps, 1, `by ${jump}`);
    assert.equal(alignment.align(at), null, "nothing is said now");
    assert.equal(alignment.confirmedUntil, -Infinity);
    at = ping(alignment, world, at, 2);
    const found = alignment.align(at);
    assert.ok(found && Math.abs(found.offset - world.offset) < 6);
    assert.equal(alignment.jumps, 1);
  }
});

test("nonsense is passed over", () => {
  const alignment = new ClockAlignment();
  for (let i = 0; i < 5; i++) {
    alignment.add(NaN, 1, 1);
    alignment.add(0, Infinity, 1);
    alignment.add(0, 1, NaN);
    alignment.add(10, 5, 1);
  }
  assert.equal(alignment.align(0), null);
});
