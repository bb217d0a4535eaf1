// SPDX-License-Identifier: LGPL-2.1-or-later
// A field that nobody sees has the focus: input methods, dead keys and touch keyboards write into it, and what they write is typed.
import type { Keyboard } from "../core/keyboard";
import { textDifference } from "../core/text-difference";
import type { Point } from "../core/touch";

export interface TextField {
  focus(): void;
  /** Where input methods show their candidates, and whether a finger is what the user points with. */
  pointAt(at: Point, kind: string): void;
  /** Shows or hides the touch keyboard. */
  toggleKeyboard(): void;
}

/** Something for a touch keyboard to delete, so that it tells of Backspace at all. */
const kFiller = "\u00a0".repeat(16);
/** Longer ones are emptied: nobody corrects what is so far back. */
const kLongest = 200;
/** Sent at once at most, so that a long text stays far below the server's limit of records per second. */
const kChunk = 200;
const kChunkPause = 120;

export function attachTextField(field: HTMLTextAreaElement, keyboard: Keyboard, active: () => boolean, signal: AbortSignal): TextField {
  const options = { signal };
  let finger = matchMedia("(any-hover: none)").matches, shown = false, composing = false;
  // Touch keyboards compose every word, and it should be seen as it is typed. Input methods of these languages compose from letters
  // that are not meant to be seen.
  const spelled = navigator.languages.some((language) => /^(zh|ja|ko|yue)\b/i.test(language));
  let before = "";
  let waiting = "";
  let timer = 0;

  const empty = () => {
    before = finger ? kFiller : "";
    field.value = before;
    field.setSelectionRange(before.length, before.length);
  };
  const type = () => {
    keyboard.text([...waiting].slice(0, kChunk).join(""));
    waiting = [...waiting].slice(kChunk).join("");
    timer = waiting ? window.setTimeout(type, kChunkPause) : 0;
  };
  const take = () => {
    const { backspaces, text } = textDifference(before, field.value);
    before = field.value;
    if (active()) {
      for (let i = 0; i < backspaces; i++)
        keyboard.tap("Backspace", "Backspace");
      waiting += text;
      if (!timer)
        type();
    }
    if (!composing && (!finger || before.length > kLongest || before.length < kFiller.length || /\n/.test(text)))
      empty();
  };

  field.addEventListener("compositionstart", () => {
    composing = true;
    field.classList.toggle("composing", !finger || spelled);
  }, options);
  field.addEventListener("compositionend", () => {
    composing = false;
    field.classList.remove("composing");
    take();
  }, options);
  field.addEventListener("input", () => {
    if (!composing || (finger && !spelled))
      take();
  }, options);
  // What is pasted or dropped is the clipboard's business.
  field.addEventListener("beforeinput", (event) => {
    if (/^insertFrom(Paste|Drop|Yank)/.test(event.inputType))
      event.preventDefault();
  }, options);
  field.addEventListener("blur", () => {
    composing = false;
    field.classList.remove("composing");
    empty();
  }, options);

  const showKeyboard = (wanted: boolean) => {
    shown = wanted;
    field.inputMode = finger && !shown ? "none" : "";
  };
  showKeyboard(false);
  empty();
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return {
    focus: () => field.focus({ preventScroll: true }),
    pointAt: ({ x, y }, kind) => {
      field.style.left = `${Math.min(x, innerWidth - 200)}px`;
      field.style.top = `${Math.min(y, innerHeight - 40)}px`;
      if (finger === (kind === "touch"))
        return;
      finger = kind === "touch";
      showKeyboard(shown && finger);
      if (!composing)
        empty();
    },
    toggleKeyboard: () => {
      finger = true;
      // The browser looks at the mode when the field gets the focus.
      field.blur();
      showKeyboard(!shown);
      empty();
      field.focus({ preventScroll: true });
    },
  };
}
