// SPDX-License-Identifier: LGPL-2.1-or-later
// Fingers: tap, double tap, drag, long press, scroll, flick, pinch, two and three fingers, and what is taken away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./testing";
import { Touch } from "./touch";

function setup() {
  const clock = new FakeClock();
  let done: string[] = [];
  const at = ({ x, y }: { x: number; y: number }) => `${Math.round(x)},${Math.round(y)}`;
  const touch = new Touch({
    move: (to) => done.push(`@${at(to)}`),
    button: (button, down, to) => done.push(`${down ? "+" : "-"}${button}@${at(to)}`),
    scroll: (dx, dy) => done.push(`s${dx},${dy}`),
    zoom: (active) => done.push(active ? "zoom" : "end"),
    pressed: () => done.push("!"),
  }, clock);
  const taken = () => {
    const result = done;
    done = [];
    return result;
  };
  return { touch, clock, taken };
}
const sum = (steps: string[]) => steps.filter((step) => step.startsWith("s")).map((step) => step.slice(1).split(",").map(Number))
  .reduce(([x, y], [dx, dy]) => [x! + dx!, y! + dy!], [0, 0]);

test("a tap is a click where it was, a second one nearby a double click", async () => {
  const { touch, clock, taken } = setup();
  touch.down(1, { x: 100, y: 50 });
  touch.move(1, { x: 103, y: 54 });
  touch.up(1);
  assert.deepEqual(taken(), ["@103,54", "+1@103,54", "-1@103,54"]);
  await clock.advance(150);
  touch.down(2, { x: 110, y: 48 });
  touch.up(2);
  assert.deepEqual(taken(), ["@103,54", "+1@103,54", "-1@103,54"], "programs want both clicks in one place");
  await clock.advance(1000);
  touch.down(3, { x: 110, y: 48 });
  touch.up(3);
  assert.deepEqual(taken()[0], "@110,48");
  await clock.advance(1000);
  assert.deepEqual(taken(), [], "a tap leaves no timer that clicks");
});

test("a finger that moves drags from where it began", () => {
  const { touch, taken } = setup();
  touch.down(1, { x: 100, y: 100 });
  touch.move(1, { x: 120, y: 100 });
  touch.move(1, { x: 140, y: 110 });
  touch.down(2, { x: 300, y: 300 });
  touch.move(2, { x: 320, y: 300 });
  touch.up(2);
  touch.up(1);
  assert.deepEqual(taken(), ["@100,100", "+1@100,100", "@120,100", "@140,110", "-1@140,110"], "a palm beside it does nothing");
});

test("a long press is a right click, and nothing more until the finger is up", async () => {
  const { touch, clock, taken } = setup();
  touch.down(1, { x: 10, y: 20 });
  await clock.advance(499);
  assert.deepEqual(taken(), []);
  await clock.advance(1);
  assert.deepEqual(taken(), ["!", "@10,20", "+3@10,20", "-3@10,20"]);
  touch.move(1, { x: 90, y: 90 });
  touch.up(1);
  assert.deepEqual(taken(), []);
});

test("two fingers scroll where they are, the content follows them, a flick goes on and stops under a finger", async () => {
  const { touch, clock, taken } = setup();
  touch.down(1, { x: 100, y: 200 });
  touch.down(2, { x: 140, y: 200 });
  for (let i = 1; i <= 10; i++) {
    await clock.advance(16);
    touch.move(1, { x: 100, y: 200 - 12 * i });
    touch.move(2, { x: 140, y: 200 - 12 * i });
  }
  const moved = taken();
  assert.equal(moved[0], "@120,200", "where they began");
  assert.deepEqual(sum(moved).map((value) => value || 0), [0, 240]);
  touch.up(1);
  touch.up(2);
  await clock.advance(100);
  const [, flick] = sum(taken());
  assert.ok(flick! > 60, `a flick goes on, ${flick}`);
  touch.down(3, { x: 0, y: 0 });
  await clock.advance(100);
  assert.deepEqual(taken(), []);
  touch.cancel();
  assert.equal(clock.waiting, 0);
});

test("fingers that rest before they leave do not flick", async () => {
  const { touch, clock, taken } = setup();
  touch.down(1, { x: 100, y: 200 });
  touch.down(2, { x: 140, y: 200 });
  for (const y of [212, 224, 236, 248, 260]) {
    touch.move(1, { x: 100, y });
    touch.move(2, { x: 140, y });
  }
  assert.deepEqual(sum(taken()), [0, -120]);
  await clock.advance(200);
  touch.up(1);
  touch.up(2);
  await clock.advance(500);
  assert.deepEqual(taken(), []);
});

test("a pinch zooms: apart is up, together is down, and ends once", () => {
  const { touch, taken } = setup();
  touch.down(1, { x: 100, y: 100 });
  touch.down(2, { x: 200, y: 100 });
  touch.move(1, { x: 50, y: 100 });
  touch.move(2, { x: 250, y: 100 });
  const apart = taken();
  assert.deepEqual(apart.slice(0, 2), ["@150,100", "zoom"]);
  assert.deepEqual(sum(apart), [0, -600], "twice as far is five notches");
  touch.move(1, { x: 100, y: 100 });
  touch.move(2, { x: 200, y: 100 });
  assert.deepEqual(sum(taken()), [0, 600]);
  touch.up(1);
  touch.up(2);
  assert.deepEqual(taken(), ["end"]);
});

test("two fingers tap a right click, three a middle one", async () => {
  const { touch, clock, taken } = setup();
  touch.down(1, { x: 100, y: 100 });
  touch.down(2, { x: 140, y: 100 });
  touch.up(1);
  touch.up(2);
  assert.deepEqual(taken(), ["@120,100", "+3@120,100", "-3@120,100"]);
  for (const id of [1, 2, 3])
    touch.down(id, { x: 100 * id, y: 90 });
  for (const id of [2, 1, 3])
    touch.up(id);
  assert.deepEqual(taken(), ["@200,90", "+2@200,90", "-2@200,90"]);
  touch.down(1, { x: 100, y: 100 });
  touch.down(2, { x: 140, y: 100 });
  await clock.advance(400);
  touch.up(1);
  touch.up(2);
  assert.deepEqual(taken(), [], "fingers that rest did not tap");
});

test("what the browser takes away ends without a click", async () => {
  const { touch, clock, taken } = setup();
  touch.down(1, { x: 1, y: 1 });
  touch.cancel();
  await clock.advance(1000);
  assert.deepEqual(taken(), []);
  touch.down(1, { x: 0, y: 0 });
  touch.move(1, { x: 50, y: 0 });
  touch.cancel();
  assert.equal(taken().at(-1), "-1@50,0");
  touch.move(1, { x: 60, y: 0 });
  touch.up(1);
  assert.deepEqual(taken(), []);
});
