// SPDX-License-Identifier: LGPL-2.1-or-later
// The user's hands: keyboard and pointer events to input, and letting go when the page loses them.
import { Keyboard, platformOf } from "../core/keyboard";
import type { KeyMeaning } from "../core/input-record";
import type { Session } from "../core/session";
import { attachPointing } from "./pointing";
import type { Screens } from "./screens";
import { attachTextField } from "./text-field";

export interface Controls {
  readonly keyboard: Keyboard;
  /** Lets go of all keys and buttons. */
  release(): void;
  /** Whether keys mean their position, their text, or (undefined) whichever fits; then it is the position while the pointer is locked. */
  setMeaning(meaning: KeyMeaning | undefined): void;
  toggleKeyboard(): void;
}

export interface ControlsOptions {
  /** Whether keys that browsers keep for themselves come to the page (Keyboard Lock). */
  keyboardLocked: () => boolean;
  /** Control+Alt+Shift+M: the way from the desktop to the page's own buttons without a mouse. */
  leaveScreen: () => void;
}

/** The key code of browsers for a key that an input method has taken. */
const kTakenByInputMethod = 229;

export function attachControls(
  screen: Screens, field: HTMLTextAreaElement, session: Session, page: ControlsOptions, signal: AbortSignal,
): Controls {
  const keyboard = new Keyboard((key) => session.input?.key(key), platformOf(navigator.platform));
  const options = { signal };
  const locked = () => screen.locked;
  let meaning: KeyMeaning | undefined;
  const applyMeaning = () => {
    keyboard.meaning = meaning ?? (locked() ? "position" : undefined);
  };

  const text = attachTextField(field, keyboard, () => session.input !== null, signal);
  const pointing = attachPointing(screen, session, keyboard, (at, kind) => {
    text.pointAt(at, kind);
    text.focus();
  }, signal);
  screen.addEventListener("focus", text.focus, options);

  const release = () => {
    pointing.cancel();
    keyboard.clear();
    session.input?.release();
  };

  const forUs = (event: KeyboardEvent) => {
    if (!session.input || (event.target instanceof Element && event.target.closest("nav, dialog, section")))
      return false;
    // What an input method is at work on comes as text.
    const taken = event.isComposing || event.keyCode === kTakenByInputMethod || event.key === "Process";
    if (taken && (keyboard.meaning !== "position" || !event.code))
      return false;
    if (event.code === "KeyM" && event.ctrlKey && event.altKey && event.shiftKey) {
      event.preventDefault();
      release();
      page.leaveScreen();
      return false;
    }
    // Without its full screen key a browser is hard to get along with.
    return event.key !== "F11" || page.keyboardLocked();
  };
  window.addEventListener("keydown", (event) => {
    if (forUs(event) && keyboard.down(event))
      event.preventDefault();
  }, options);
  window.addEventListener("keyup", (event) => {
    if (keyboard.up(event))
      event.preventDefault();
  }, options);

  window.addEventListener("blur", release, options);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden")
      release();
  }, options);
  session.on("control", (control) => {
    if (!control.you)
      keyboard.clear();
  }, signal);
  session.on("state", ({ state }) => {
    // What was down is up by the time that a new session begins.
    if (state === "lost" || state === "refused") {
      pointing.cancel();
      keyboard.clear();
    }
  }, signal);
  document.addEventListener("pointerlockchange", () => {
    applyMeaning();
    if (!locked())
      release();
  }, options);
  document.addEventListener("freeze", release, options);
  window.addEventListener("pagehide", () => {
    release();
    session.leave();
  }, options);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted)
      session.nudge();
  }, options);
  return {
    keyboard,
    release,
    setMeaning: (wanted) => {
      meaning = wanted;
      applyMeaning();
    },
    toggleKeyboard: text.toggleKeyboard,
  };
}
