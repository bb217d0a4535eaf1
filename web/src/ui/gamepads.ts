// SPDX-License-Identifier: LGPL-2.1-or-later
// Gamepads on the page: asked for their state while there are some, listed in the panel, and made to rumble.
import { Gamepads, type PadLike, type PadReport, type RumbleOrder, rumbleOf } from "../core/gamepads";
import type { Session } from "../core/session";
import { t } from "./text";

/** Chromium's way to make a gamepad rumble, and Firefox's. */
interface RumblingPad extends PadLike {
  readonly vibrationActuator?: {
    playEffect(type: "dual-rumble", effect: { startDelay: number; duration: number; strongMagnitude: number; weakMagnitude: number }): Promise<unknown>;
    reset(): Promise<unknown>;
  } | null;
  readonly hapticActuators?: readonly { pulse?(value: number, duration: number): Promise<unknown> }[];
}

/** Browsers show gamepads only to pages that came by https or from this machine; others have no such function, or one that throws. */
function gamepadsOf(source: { getGamepads?(): readonly (RumblingPad | null)[] }): readonly (RumblingPad | null)[] {
  try {
    return source.getGamepads?.() ?? [];
  } catch {
    return [];
  }
}

function rumble(pad: RumblingPad, order: RumbleOrder): void {
  const { strong, weak, duration } = order;
  const actuator = pad.vibrationActuator;
  const done = actuator
    ? duration > 0
      ? actuator.playEffect("dual-rumble", { startDelay: 0, duration, strongMagnitude: strong, weakMagnitude: weak })
      : actuator.reset()
    : pad.hapticActuators?.[0]?.pulse?.(Math.max(strong, weak), duration);
  // Without motors it refuses.
  done?.catch(() => {});
}

/** Lists gamepads in `list`, which is hidden while there are none. */
function show(list: HTMLElement, reports: readonly PadReport[], taken: boolean): void {
  list.hidden = reports.length === 0;
  const lines = reports.map(({ id, slot, buttons, axes }) => {
    const line = document.createElement("li");
    const name = id || t("Gamepad");
    if (!taken)
      line.textContent = t("{name}: the desktop takes no gamepads", { name });
    else if (slot === null)
      line.textContent = t("{name}: not passed on", { name });
    else if (buttons.taken < buttons.all || axes.taken < axes.all)
      line.textContent = t("{n}: {name} ({buttons} of {allButtons} buttons, {axes} of {allAxes} axes)",
        { n: slot + 1, name, buttons: buttons.taken, allButtons: buttons.all, axes: axes.taken, allAxes: axes.all });
    else
      line.textContent = t("{n}: {name}", { n: slot + 1, name });
    return line;
  });
  (list.querySelector("ul") as HTMLElement).replaceChildren(...lines);
}

/** Gamepads play where keys go: on the page that has the focus, while it has control. */
export function attachGamepads(session: Session, list: HTMLElement, signal: AbortSignal): void {
  const gamepads = new Gamepads();
  const source = navigator as { getGamepads?(): readonly (RumblingPad | null)[] };
  let taken = false, running = false, shown = "";
  (list.querySelector("span") as HTMLElement).textContent = t("Gamepads");

  const refresh = (pads: readonly (PadLike | null)[]) => {
    const reports = gamepads.report(pads);
    const text = JSON.stringify([reports, taken]);
    if (text !== shown)
      show(list, reports, taken);
    shown = text;
  };
  const poll = () => {
    const pads = gamepadsOf(source);
    if (document.hasFocus())
      gamepads.update(pads, taken ? session.input : null, performance.now());
    else
      gamepads.suspend();
    refresh(pads);
    // Pages that are not seen are not asked, and have let go of everything.
    running = pads.some((pad) => pad?.connected) && !signal.aborted;
    if (running)
      requestAnimationFrame(poll);
  };
  const wake = () => {
    if (!running)
      poll();
  };
  window.addEventListener("gamepadconnected", wake, { signal });
  window.addEventListener("gamepaddisconnected", wake, { signal });
  window.addEventListener("focus", wake, { signal });
  session.on("control", wake, signal);
  session.on("welcome", () => (taken = false), signal);
  session.on("desktop", (message) => {
    if (message.type === "desktop/gamepads") {
      taken = true;
      wake();
    } else if (message.type === "desktop/gamepad-rumble") {
      const order = rumbleOf(message);
      const index = order && gamepads.indexOf(order.pad);
      const pad = gamepadsOf(source).find((one) => one?.index === index);
      if (order && pad)
        rumble(pad, order);
    }
  }, signal);
  wake();
}
