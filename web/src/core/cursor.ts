// SPDX-License-Identifier: LGPL-2.1-or-later
// Shapes of the desktop's pointer, and at which size the page shows them (docs/protocol.md, section 7). No DOM access.
import type { DesktopMessage } from "./messages";

export interface CursorShape {
  id: string;
  /** Pixels of the desktop; the picture itself may have fewer. */
  width: number;
  height: number;
  hotX: number;
  hotY: number;
  /** A data: URL. */
  url: string;
}

const kKept = 64;
/** Larger ones are not shown by browsers. */
const kSizeMost = 128;
const kPictureMost = 65536;

export class CursorShapes {
  readonly #shapes = new Map<string, CursorShape>();

  /** The shape of a desktop/cursor message; null: the pointer is hidden, undefined: the message is of no use. */
  take(message: DesktopMessage): CursorShape | null | undefined {
    const { id, png } = message;
    if (id === null)
      return null;
    if (typeof id !== "string" || id.length > 64)
      return undefined;
    if (png === undefined)
      return this.#shapes.get(id);
    const number = (name: string, most: number) => {
      const value = message[name];
      return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most ? value : NaN;
    };
    const shape = {
      id, width: number("width", 1024), height: number("height", 1024), hotX: number("hotX", 1024), hotY: number("hotY", 1024), url: "",
    };
    if (typeof png !== "string" || png.length > kPictureMost || !/^[A-Za-z0-9+/]+={0,2}$/.test(png) ||
        !(shape.width > 0 && shape.height > 0 && shape.hotX >= 0 && shape.hotY >= 0))
      return undefined;
    shape.url = `data:image/png;base64,${png}`;
    this.#shapes.delete(id);
    this.#shapes.set(id, shape);
    const [oldest] = this.#shapes.keys();
    if (this.#shapes.size > kKept && oldest !== undefined)
      this.#shapes.delete(oldest);
    return shape;
  }
}

export interface CursorSize {
  /** CSS pixels. */
  width: number;
  height: number;
  hotX: number;
  hotY: number;
  /** Pixels that the picture needs. */
  pixelWidth: number;
  pixelHeight: number;
}

/** `scale`: CSS pixels per pixel of the desktop; `ratio`: the screen's pixels per CSS pixel. */
export function cursorSize(shape: CursorShape, scale: number, ratio: number): CursorSize {
  const fit = Math.min(scale, kSizeMost / Math.max(shape.width, shape.height));
  const pixels = (length: number) => Math.max(1, Math.round(length * fit * ratio));
  const pixelWidth = pixels(shape.width), pixelHeight = pixels(shape.height);
  const hot = (at: number, most: number) => Math.min(Math.max(0, Math.ceil(most) - 1), Math.round(at * fit));
  const width = pixelWidth / ratio, height = pixelHeight / ratio;
  return { width, height, hotX: hot(shape.hotX, width), hotY: hot(shape.hotY, height), pixelWidth, pixelHeight };
}
