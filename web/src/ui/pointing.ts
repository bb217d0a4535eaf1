// SPDX-License-Identifier: LGPL-2.1-or-later
// Mouse, pen, fingers and wheel on the screen to pointer input. Positions are pixels of the picture, whatever its place on the page.
import type { Keyboard } from "../core/keyboard";
import { Motion, Wheel, picturePosition, xButton } from "../core/pointer";
import type { Session } from "../core/session";
import { type Point, Touch } from "../core/touch";
import type { Screens } from "./screens";

export interface Pointing {
  /** Forgets what fingers had begun. */
  cancel(): void;
}

/** What a vibrating motor says about a long press, in milliseconds. */
const kBuzz = 15;

/** `pressed`: where on the page the user clicks or taps, and with what kind of pointer. */
export function attachPointing(
  screen: Screens, session: Session, keyboard: Keyboard, pressed: (at: Point, kind: string) => void, signal: AbortSignal,
): Pointing {
  const wheel = new Wheel();
  const motion = new Motion();
  const options = { signal };
  const locked = () => screen.locked;
  const place = ({ x, y }: Point) => {
    const { width, height } = screen.grid;
    return picturePosition(x, y, screen.getBoundingClientRect(), width, height);
  };
  const at = (event: MouseEvent) => place({ x: event.clientX, y: event.clientY });
  const button = (number: number, down: boolean, position: ReturnType<typeof place>) => {
    keyboard.settle();
    if (number)
      session.input?.button(number, down, position);
  };

  // ---- fingers ----
  const control = (down: boolean) => keyboard.hold("ControlLeft", "Control", down);
  const touch = new Touch({
    move: (to) => {
      keyboard.settle();
      const position = place(to);
      if (position)
        session.input?.pointer(position, true);
    },
    button: (number, down, to) => button(number, down, place(to)),
    scroll: (dx, dy) => session.input?.scroll(dx, dy),
    zoom: control,
    pressed: () => navigator.vibrate?.(kBuzz),
  });
  const fingers = (event: PointerEvent) => event.pointerType === "touch";

  // ---- mouse and pen ----
  const moved = (event: PointerEvent) => {
    if (fingers(event))
      return;
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
  screen.addEventListener("onpointerrawupdate" in window && isSecureContext ? "pointerrawupdate" : "pointermove",
    (event) => moved(event as PointerEvent), options);
  screen.addEventListener("pointermove", (event) => {
    if (fingers(event))
      touch.move(event.pointerId, { x: event.clientX, y: event.clientY });
  }, options);

  screen.addEventListener("pointerdown", (event) => {
    // A locked pointer cannot leave, and asking for it is an error.
    if (!locked())
      screen.setPointerCapture(event.pointerId);
    keyboard.reconcile(event);
    const where = { x: event.clientX, y: event.clientY };
    pressed(where, event.pointerType);
    if (fingers(event))
      touch.down(event.pointerId, where);
    else
      button(xButton(event.button), true, locked() ? null : at(event));
  }, options);
  screen.addEventListener("pointerup", (event) => {
    event.preventDefault();
    if (fingers(event))
      touch.up(event.pointerId);
    else
      button(xButton(event.button), false, locked() ? null : at(event));
  }, options);
  // With a button already down, further buttons come as moves with a changed `buttons`.
  let buttons = 0;
  const kOrder = [0, 2, 1, 3, 4];
  const follow = (event: PointerEvent) => {
    if (fingers(event))
      return;
    for (let bit = 0; bit < kOrder.length; bit++) {
      const mask = 1 << bit;
      if (event.type === "pointermove" && event.button >= 0 && (buttons ^ event.buttons) & mask)
        button(xButton(kOrder[bit] ?? 0), (event.buttons & mask) !== 0, locked() ? null : at(event));
    }
    buttons = event.buttons;
  };
  for (const type of ["pointerdown", "pointerup", "pointermove"] as const)
    screen.addEventListener(type, follow, options);
  screen.addEventListener("pointercancel", (event) => {
    if (fingers(event)) {
      touch.cancel();
      return;
    }
    buttons = 0;
    keyboard.clear();
    session.input?.release();
  }, options);
  // A browser gives the focus to what is clicked on when mousedown comes, after pointerdown.
  for (const type of ["mousedown", "contextmenu", "auxclick", "dragstart"] as const)
    screen.addEventListener(type, (event) => event.preventDefault(), options);

  screen.addEventListener("wheel", (event) => {
    event.preventDefault();
    keyboard.settle();
    // A pinch on a touchpad comes as a wheel with a Control key that nobody holds.
    const pinch = event.ctrlKey && !keyboard.controlHeld;
    const turned = wheel.turn(event, pinch);
    if (!turned)
      return;
    if (pinch)
      control(true);
    session.input?.scroll(turned.dx, turned.dy);
    if (pinch)
      control(false);
  }, { signal, passive: false });
  return { cancel: () => touch.cancel() };
}
