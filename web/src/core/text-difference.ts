// SPDX-License-Identifier: LGPL-2.1-or-later
// What a touch keyboard or an input method did to a text field, as keys.

export interface TextDifference {
  /** How often Backspace is pressed first. */
  backspaces: number;
  /** What is typed then. */
  text: string;
}

/** How one turns `before` into `after` by typing at its end. */
export function textDifference(before: string, after: string): TextDifference {
  const old = [...before], now = [...after];
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same])
    same++;
  return { backspaces: old.length - same, text: now.slice(same).join("") };
}
