// SPDX-License-Identifier: LGPL-2.1-or-later
// Which size the desktop should have for a window, and where its picture goes in it. No DOM access.

export interface Size { width: number; height: number }
/** What the user wants: the window's size, the size that it has, or a certain one. */
export type SizeMode = "follow" | "keep" | Size;

export interface SizeWish extends Size {
  /** Pixels of the desktop per CSS pixel. */
  scale: number;
}

export function parseMode(text: string): SizeMode {
  const size = /^(\d{3,5})x(\d{3,5})$/.exec(text);
  if (size)
    return { width: Number(size[1]), height: Number(size[2]) };
  return text === "keep" ? "keep" : "follow";
}

/** What to ask the desktop for; null: nothing. `ratio`: the screen's pixels per CSS pixel. */
export function wishFor(mode: SizeMode, window: Size, ratio: number, most: Size): SizeWish | null {
  if (mode === "keep" || window.width <= 0 || window.height <= 0)
    return null;
  if (mode !== "follow")
    return { width: Math.min(mode.width, most.width), height: Math.min(mode.height, most.height), scale: 1 };
  const width = window.width * ratio, height = window.height * ratio;
  // In proportion: what is missing is made up by enlarging.
  const fit = Math.min(1, most.width / width, most.height / height);
  const scale = Math.min(8, Math.max(0.25, Math.round(ratio * fit * 100) / 100));
  return { width: Math.max(1, Math.floor(width * fit)), height: Math.max(1, Math.floor(height * fit)), scale };
}

const kNear = 16;

/** Where a picture goes that is as large as the window but for a few pixels, in CSS pixels, so that each of its pixels is one of the
 * screen's; null: it is to be scaled to fit. */
export function exactPlace(picture: Size, window: Size, ratio: number): { left: number; top: number; width: number; height: number } | null {
  const spareX = Math.round(window.width * ratio) - picture.width, spareY = Math.round(window.height * ratio) - picture.height;
  if (picture.width <= 0 || spareX < 0 || spareY < 0 || spareX > kNear || spareY > kNear)
    return null;
  return {
    left: Math.floor(spareX / 2) / ratio, top: Math.floor(spareY / 2) / ratio, width: picture.width / ratio, height: picture.height / ratio,
  };
}
