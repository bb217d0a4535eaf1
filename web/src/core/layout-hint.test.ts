// SPDX-License-Identifier: LGPL-2.1-or-later
// The viewer's layout as a message.
import assert from "node:assert/strict";
import { test } from "node:test";
import { kLayouts, layoutOfKeys } from "./layout-hint";

test("keys go out by evdev code; too few say nothing", () => {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"].map((letter) => [`Key${letter.toUpperCase()}`, letter] as const);
  const message = layoutOfKeys([...letters, ["Backquote", "dead"], ["Unknown", "x"]]);
  assert.equal(message?.type, "desktop/keyboard");
  assert.equal(Object.keys(message?.keys ?? {}).length, 26);
  assert.equal(message?.keys?.["16"], "q");
  assert.equal(layoutOfKeys(letters.slice(0, 19)), null);
  assert.equal(layoutOfKeys([]), null);
});

test("layouts have names that the server takes", () => {
  for (const layout of Object.keys(kLayouts))
    assert.match(layout, /^[a-z]+(\([a-z]+\))?$/);
});
