// SPDX-License-Identifier: LGPL-2.1-or-later
// Pointer arithmetic: where on the picture a point of the page is, and how far a wheel turned. No DOM access.
import type { PicturePosition } from "./input-record";

export interface Box { left: number; top: number; width: number; height: number }

/** The pixel of the picture at a point of the page, for a picture that is letterboxed into `box`; clamped to the picture. */
export function picturePosition(x: number, y: number, box: Box, width: number, height: number): PicturePosition | null {
  if (width <= 0 || height <= 0 || box.width <= 0 || box.height <= 0)
    return null;
  const scale = Math.min(box.width / width, box.height / height);
  const pixel = (at: number, start: number, extent: number, size: number) =>
    Math.min(size - 1, Math.max(0, Math.floor((at - start - (extent - size * scale) / 2) / scale)));
  return { x: pixel(x, box.left, box.width, width), y: pixel(y, box.top, box.height, height), width, height };
}

/** PointerEvent.button to the X11 number, 0 for buttons that X has no number for. A pen's eraser presses like its tip. */
export function xButton(button: number): number {
  return [1, 2, 3, 8, 9, 1][button] ?? 0;
}

const kNotch = 120;
/** What one notch of a mouse wheel is in each WheelEvent.deltaMode: pixels, lines; a page is ten notches of three lines. */
const kPerNotch = [100, 3, 0.1];

/** A pinch that doubles the distance of the fingers is about 70 pixels; here it is five notches. */
const kPerPinch = (5 * kNotch) / 70;

export interface WheelLike {
  readonly deltaX: number;
  readonly deltaY: number;
  readonly deltaMode: number;
  readonly shiftKey: boolean;
  /** Not in Firefox. */
  readonly wheelDeltaX?: number;
  readonly wheelDeltaY?: number;
}

/** Wheel turns in 120ths of a notch. Fractions are kept for the next turn. */
export class Wheel {
  #restX = 0;
  #restY = 0;

  /** `pinch`: the event stands for fingers on a touchpad, whose deltas are small. */
  turn(event: WheelLike, pinch = false): { dx: number; dy: number } | null {
    // deltaMode first: Firefox gives pixels to pages that do not ask.
    const mode = event.deltaMode;
    let x = this.#turned(event.deltaX, mode, event.wheelDeltaX);
    let y = pinch && mode === 0 ? event.deltaY * kPerPinch : this.#turned(event.deltaY, mode, event.wheelDeltaY);
    // Browsers turn the wheel by Shift; the desktop gets the Shift too and does so itself.
    if (event.shiftKey && y === 0)
      [x, y] = [0, x];
    const kept = (rest: number, turn: number) => (rest * turn < 0 ? turn : rest + turn);
    this.#restX = kept(this.#restX, x);
    this.#restY = kept(this.#restY, y);
    const dx = Math.trunc(this.#restX), dy = Math.trunc(this.#restY);
    this.#restX -= dx;
    this.#restY -= dy;
    return dx || dy ? { dx, dy } : null;
  }

  #turned(delta: number, mode: number, wheelDelta: number | undefined): number {
    // Pixels per notch differ by system and zoom, but wheelDelta tells whole notches (Safari's is thrice the pixels).
    // Made-up events of several notches say one there; theirs are 120 pixels each.
    if (mode === 0 && wheelDelta && wheelDelta % kNotch === 0 && Math.abs(wheelDelta) !== 3 * Math.abs(delta))
      return Math.sign(delta) * Math.max(Math.abs(wheelDelta), delta % kNotch === 0 ? Math.abs(delta) : 0);
    return (delta / (kPerNotch[mode] ?? 100)) * kNotch;
  }
}

/** Relative moves in whole pixels. Fractions are kept. */
export class Motion {
  #restX = 0;
  #restY = 0;

  move(dx: number, dy: number): { dx: number; dy: number } | null {
    this.#restX += dx;
    this.#restY += dy;
    const x = Math.trunc(this.#restX), y = Math.trunc(this.#restY);
    this.#restX -= x;
    this.#restY -= y;
    const limit = (value: number) => Math.min(32767, Math.max(-32768, value));
    return x || y ? { dx: limit(x), dy: limit(y) } : null;
  }
}
