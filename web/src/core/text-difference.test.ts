// SPDX-License-Identifier: LGPL-2.1-or-later
// What touch keyboards do to a field, as keys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { textDifference } from "./text-difference";

test("typed, deleted, corrected, and characters of two code units", () => {
  const known: [string, string, number, string][] = [
    ["", "a", 0, "a"], ["hel", "hello", 0, "lo"], ["teh", "the", 2, "he"], ["abc", "ab", 1, ""], ["abc", "abc", 0, ""],
    ["a😀", "a", 1, ""], ["a😀", "a😃", 1, "😃"], ["", "日本語", 0, "日本語"], ["x", "", 1, ""],
  ];
  for (const [before, after, backspaces, text] of known)
    assert.deepEqual(textDifference(before, after), { backspaces, text }, `${before} → ${after}`);
});
