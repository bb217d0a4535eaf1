// SPDX-License-Identifier: LGPL-2.1-or-later
// Signs that the network may be another one than a moment ago: the browser says so, or time has passed that nobody saw (sleep).
import { type Clock, Timer, systemClock } from "./events";

const kTick = 1000;
/** Timers of hidden pages run once per second at most, those of a sleeping machine not at all. */
const kGap = 5000;

interface Sources {
  /** "online" and "pageshow". */
  window: EventTarget;
  /** navigator.connection, where there is one: "change" from Wi-Fi to cable. */
  connection: EventTarget | undefined;
}

export function watchNetwork(changed: () => void, sources: Sources, signal: AbortSignal, clock: Clock = systemClock): void {
  for (const name of ["online", "pageshow"])
    sources.window.addEventListener(name, changed, { signal });
  sources.connection?.addEventListener("change", changed, { signal });
  const timer = new Timer(clock, signal);
  const tick = (last: number) => timer.start(kTick, () => {
    const now = clock.now();
    if (now - last > kGap)
      changed();
    tick(now);
  });
  tick(clock.now());
}
