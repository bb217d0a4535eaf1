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

/** PointerEvent.button to the X11 number, 0 for buttons that X has no number for. */
export function xButton(button: number): number {
  return [1, 2, 3, 8, 9][button] ?? 0;
}

const kNotch = 120;
/** What one notch of a mouse wheel is in each WheelEvent.deltaMode: pixels, lines, pages. */
const kPerNotch = [100, 3, 1];

export interface WheelLike {
  readonly deltaX: number;
  readonly deltaY: number;
  readonly deltaMode: number;
  readonly shiftKey: boolean;
}

/** Wheel turns in 120ths of a notch. Fractions are kept for the next turn. */
export class Wheel {
  #restX = 0;
  #restY = 0;

  turn(event: WheelLike): { dx: number; dy: number } | null {
    const per = kPerNotch[event.deltaMode] ?? 100;
    this.#restX += (event.deltaX / per) * kNotch;
    this.#restY += (event.deltaY / per) * kNotch;
    const dx = Math.trunc(this.#restX), dy = Math.trunc(this.#restY);
    this.#restX -= dx;
    this.#restY -= dy;
    return dx || dy ? { dx, dy } : null;
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
