// SPDX-License-Identifier: LGPL-2.1-or-later
// Pointer shapes and sizes of the desktop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CursorShapes, cursorSize } from "./cursor";
import { exactPlace, parseMode, wishFor } from "./display-size";

const png = btoa("\x89PNG");

test("a shape comes once and is known by its name then", () => {
  const shapes = new CursorShapes();
  const full = { type: "desktop/cursor" as const, id: "a", width: 24, height: 32, hotX: 3, hotY: 4, png };
  const shape = shapes.take(full);
  assert.equal(shape?.url, `data:image/png;base64,${png}`);
  assert.equal(shapes.take({ type: "desktop/cursor", id: "a" }), shape);
  assert.equal(shapes.take({ type: "desktop/cursor", id: null }), null);
  assert.equal(shapes.take({ type: "desktop/cursor", id: "b" }), undefined);
  for (let i = 0; i < 64; i++)
    shapes.take({ ...full, id: `${i}` });
  assert.equal(shapes.take({ type: "desktop/cursor", id: "a" }), undefined);
});

test("shapes without sense are ignored", () => {
  const full = { type: "desktop/cursor" as const, id: "a", width: 24, height: 32, hotX: 3, hotY: 4, png };
  for (const wrong of [{ id: 7 }, { width: 0 }, { width: 1e9 }, { hotX: -1 }, { png: "\"); color: red" }, { png: 7 }])
    assert.equal(new CursorShapes().take({ ...full, ...wrong }), undefined);
});

test("a pointer is scaled as the picture is, and no larger than browsers show", () => {
  const shape = { id: "a", width: 32, height: 32, hotX: 16, hotY: 31, url: "" };
  assert.deepEqual(cursorSize(shape, 1, 1), { width: 32, height: 32, hotX: 16, hotY: 31, pixelWidth: 32, pixelHeight: 32 });
  assert.deepEqual(cursorSize(shape, 0.5, 2), { width: 16, height: 16, hotX: 8, hotY: 15, pixelWidth: 32, pixelHeight: 32 });
  assert.equal(cursorSize(shape, 10, 1).width, 128);
});

test("wishes follow the window in the screen's pixels, within the limits", () => {
  const most = { width: 3840, height: 2400 };
  assert.deepEqual(wishFor("follow", { width: 1001, height: 700 }, 1.5, most), { width: 1501, height: 1050, scale: 1.5 });
  assert.deepEqual(wishFor("follow", { width: 3840, height: 1000 }, 2, most), { width: 3840, height: 1000, scale: 1 });
  assert.equal(wishFor("keep", { width: 100, height: 100 }, 1, most), null);
  assert.deepEqual(wishFor(parseMode("1920x1080"), { width: 100, height: 100 }, 2, most), { width: 1920, height: 1080, scale: 1 });
  assert.equal(parseMode("nonsense"), "follow");
});

test("a picture as large as the window is not scaled", () => {
  assert.deepEqual(exactPlace({ width: 1000, height: 700 }, { width: 1001, height: 701 }, 1), { left: 0, top: 0, width: 1000, height: 700 });
  assert.deepEqual(exactPlace({ width: 1500, height: 1050 }, { width: 1002, height: 700 }, 1.5), { left: 1 / 1.5, top: 0, width: 1000, height: 700 });
  assert.equal(exactPlace({ width: 1280, height: 720 }, { width: 1000, height: 700 }, 1), null);
  assert.equal(exactPlace({ width: 800, height: 600 }, { width: 1000, height: 700 }, 1), null);
});
