// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a point of the page is on the picture, wheel units, relative motion.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Motion, Wheel, type WheelLike, picturePosition, xButton } from "./pointer";

const box = (left: number, top: number, width: number, height: number) => ({ left, top, width, height });
const xy = (position: { x: number; y: number } | null) => position && [position.x, position.y];

test("a picture shown at its own size", () => {
  assert.deepEqual(picturePosition(10.9, 20.2, box(0, 0, 640, 480), 640, 480), { x: 10, y: 20, width: 640, height: 480 });
});

test("bars above and below, left and right", () => {
  // 1920×1080 in 960×1080: half size, bars of 270 above and below.
  const tall = box(0, 0, 960, 1080);
  assert.deepEqual(xy(picturePosition(0, 270, tall, 1920, 1080)), [0, 0]);
  assert.deepEqual(xy(picturePosition(959.9, 809.9, tall, 1920, 1080)), [1919, 1079]);
  assert.deepEqual(xy(picturePosition(480, 540, tall, 1920, 1080)), [960, 540]);
  // 800×600 in 1600×600: bars of 400 left and right.
  assert.deepEqual(xy(picturePosition(400, 0, box(0, 0, 1600, 600), 800, 600)), [0, 0]);
  assert.deepEqual(xy(picturePosition(1199, 599, box(0, 0, 1600, 600), 800, 600)), [799, 599]);
});

test("an element that does not start at the page's corner, scaled up", () => {
  assert.deepEqual(xy(picturePosition(105, 57, box(100, 50, 200, 200), 100, 100)), [2, 3]);
});

test("points on the bars and outside are clamped to the picture's edge", () => {
  const at = (x: number, y: number) => xy(picturePosition(x, y, box(0, 0, 960, 1080), 1920, 1080));
  assert.deepEqual(at(5, 5), [10, 0]);
  assert.deepEqual(at(-500, 5000), [0, 1079]);
  assert.deepEqual(at(5000, -1), [1919, 0]);
});

test("every pixel is hit by its own middle at any scale", () => {
  for (const [width, height] of [[900, 800], [1600, 500], [333, 777]] as const) {
    const scale = Math.min(width / 1280, height / 720);
    const left = (width - 1280 * scale) / 2, top = (height - 720 * scale) / 2;
    for (const [x, y] of [[0, 0], [321, 123], [640, 360], [1279, 719]] as const)
      assert.deepEqual(xy(picturePosition(left + (x + 0.5) * scale, top + (y + 0.5) * scale, box(0, 0, width, height), 1280, 720)), [x, y]);
  }
});

test("no picture, no position", () => {
  assert.equal(picturePosition(1, 1, box(0, 0, 100, 100), 0, 0), null);
  assert.equal(picturePosition(1, 1, box(0, 0, 0, 0), 640, 480), null);
});

test("buttons have X11's numbers", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, -1].map(xButton), [1, 2, 3, 8, 9, 1, 0, 0]);
});

const turn = (deltaX: number, deltaY: number, more: Partial<WheelLike> = {}): WheelLike =>
  ({ deltaX, deltaY, deltaMode: 0, shiftKey: false, ...more });

test("a notch is 120 in pixel, line and page modes", () => {
  assert.deepEqual(new Wheel().turn(turn(0, 100)), { dx: 0, dy: 120 });
  assert.deepEqual(new Wheel().turn(turn(0, -3, { deltaMode: 1 })), { dx: 0, dy: -120 });
  assert.deepEqual(new Wheel().turn(turn(0, 1, { deltaMode: 2 })), { dx: 0, dy: 1200 });
  assert.deepEqual(new Wheel().turn(turn(100, 0)), { dx: 120, dy: 0 });
});

test("whole notches are known by wheelDelta, whatever their pixels", () => {
  assert.deepEqual(new Wheel().turn(turn(0, 53, { wheelDeltaY: -120 })), { dx: 0, dy: 120 });
  assert.deepEqual(new Wheel().turn(turn(0, -133.3, { wheelDeltaY: 240 })), { dx: 0, dy: -240 });
  assert.deepEqual(new Wheel().turn(turn(0, 240, { wheelDeltaY: -120 })), { dx: 0, dy: 240 }, "a made-up event of two");
  assert.deepEqual(new Wheel().turn(turn(0, 40, { wheelDeltaY: -120 })), { dx: 0, dy: 48 }, "thrice the pixels is a touchpad");
  assert.deepEqual(new Wheel().turn(turn(0, 10, { wheelDeltaY: -22 })), { dx: 0, dy: 12 });
});

test("fractions add up, and are dropped when the wheel turns round", () => {
  const wheel = new Wheel();
  let sum = 0;
  for (let i = 0; i < 100; i++)
    sum += wheel.turn(turn(0, 0.25))?.dy ?? 0;
  assert.ok(sum === 29 || sum === 30, "but for rounding");
  const other = new Wheel();
  assert.equal(other.turn(turn(0, 0.5)), null);
  assert.deepEqual(other.turn(turn(0, -1)), { dx: 0, dy: -1 });
});

test("a wheel that the browser turned sideways for Shift is turned back", () => {
  assert.deepEqual(new Wheel().turn(turn(100, 0, { shiftKey: true })), { dx: 0, dy: 120 });
  assert.deepEqual(new Wheel().turn(turn(0, 100, { shiftKey: true })), { dx: 0, dy: 120 });
});

test("motion keeps fractions and stays in 16 bits", () => {
  const motion = new Motion();
  assert.equal(motion.move(0.5, 0), null);
  assert.deepEqual(motion.move(0.5, -2.5), { dx: 1, dy: -2 });
  assert.deepEqual(motion.move(1e6, -1e6), { dx: 32767, dy: -32768 });
});

test("a pinch on a touchpad is more than its few pixels", () => {
  const wheel = new Wheel();
  assert.deepEqual(wheel.turn({ deltaX: 0, deltaY: -70, deltaMode: 0, shiftKey: false }, true), { dx: 0, dy: -600 });
});
