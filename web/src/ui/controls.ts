// SPDX-License-Identifier: LGPL-2.1-or-later
// DOM events on the screen to input: keyboard, pointer, wheel, pointer lock, and letting go when the page loses them.
import { Keyboard, platformOf } from "../core/keyboard";
import { Motion, Wheel, picturePosition, xButton } from "../core/pointer";
import type { Session } from "../core/session";

export interface Controls {
  /** Lets go of all keys and buttons. */
  release(): void;
}

export interface ControlsOptions {
  /** Whether keys that browsers keep for themselves come to the page (Keyboard Lock). */
  keyboardLocked: () => boolean;
  /** Control+Alt+Shift+M: the way from the desktop to the page's own buttons without a mouse. */
  leaveScreen: () => void;
}

export function attachControls(
  screen: HTMLVideoElement, session: Session, page: ControlsOptions, signal: AbortSignal,
): Controls {
  const keyboard = new Keyboard((key) => session.input?.key(key), platformOf(navigator.platform));
  const wheel = new Wheel();
  const motion = new Motion();
  const options = { signal };
  const locked = () => document.pointerLockElement === screen;

  const at = (event: MouseEvent) =>
    picturePosition(event.clientX, event.clientY, screen.getBoundingClientRect(), screen.videoWidth, screen.videoHeight);
  const release = () => {
    keyboard.clear();
    session.input?.release();
  };

  const forUs = (event: KeyboardEvent) => {
    if (!session.input || event.isComposing || (event.target instanceof Element && event.target.closest("nav, dialog, section")))
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

  const moved = (event: PointerEvent) => {
    if (locked()) {
      const by = motion.move(event.movementX, event.movementY);
      if (by) {
        keyboard.settle();
        session.input?.motion(by.dx, by.dy);
      }
      return;
    }
    // While a button is down a stroke may be drawn: each point of it counts.
    const drawing = event.buttons !== 0;
    const points = drawing && event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const point of points.length ? points : [event]) {
      const position = at(point);
      if (position)
        session.input?.pointer(position, drawing);
    }
  };
  // Raw updates come before the browser's next frame, but only on secure pages.
  screen.addEventListener("onpointerrawupdate" in screen && isSecureContext ? "pointerrawupdate" : "pointermove",
    (event) => moved(event as PointerEvent), options);

  const button = (event: PointerEvent | MouseEvent, down: boolean) => {
    keyboard.settle();
    const number = xButton(event.button);
    if (number)
      session.input?.button(number, down, locked() ? null : at(event));
  };
  screen.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    screen.focus({ preventScroll: true });
    screen.setPointerCapture(event.pointerId);
    button(event, true);
  }, options);
  screen.addEventListener("pointerup", (event) => {
    event.preventDefault();
    button(event, false);
  }, options);
  // With a button already down, further buttons come as moves with a changed `buttons`.
  let buttons = 0;
  const kOrder = [0, 2, 1, 3, 4];
  const follow = (event: PointerEvent) => {
    for (let bit = 0; bit < 5; bit++) {
      const mask = 1 << bit;
      const number = xButton(kOrder[bit] ?? 0);
      if (event.type === "pointermove" && event.button >= 0 && (buttons ^ event.buttons) & mask && number)
        session.input?.button(number, (event.buttons & mask) !== 0, locked() ? null : at(event));
    }
    buttons = event.buttons;
  };
  for (const type of ["pointerdown", "pointerup", "pointermove"] as const)
    screen.addEventListener(type, follow, options);
  screen.addEventListener("pointercancel", () => {
    buttons = 0;
    release();
  }, options);
  screen.addEventListener("contextmenu", (event) => event.preventDefault(), options);
  screen.addEventListener("auxclick", (event) => event.preventDefault(), options);
  screen.addEventListener("dragstart", (event) => event.preventDefault(), options);
  screen.addEventListener("wheel", (event) => {
    event.preventDefault();
    keyboard.settle();
    const turned = wheel.turn(event);
    if (turned)
      session.input?.scroll(turned.dx, turned.dy);
  }, { signal, passive: false });

  window.addEventListener("blur", release, options);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden")
      release();
  }, options);
  session.on("control", (control) => {
    if (!control.you)
      keyboard.clear();
  }, signal);
  document.addEventListener("pointerlockchange", () => {
    if (!locked())
      release();
  }, options);
  window.addEventListener("pagehide", () => {
    release();
    session.leave();
  }, options);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted)
      session.nudge();
  }, options);
  return { release };
}
