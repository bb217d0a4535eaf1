// SPDX-License-Identifier: LGPL-2.1-or-later
// A clock that tests turn by hand.
import type { Clock } from "./events";

export class FakeClock implements Clock {
  #now = 0;
  #next = 1;
  readonly #timers = new Map<number, { at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, delay: number): number {
    this.#timers.set(this.#next, { at: this.#now + Math.max(0, delay), run });
    return this.#next++;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  /** Time that passes while no timer runs: the machine sleeps. */
  sleep(time: number): void {
    this.#now += time;
  }

  get waiting(): number {
    return this.#timers.size;
  }

  /** Runs every timer that is due in the next `time` ms, in order, each with its microtasks. */
  async advance(time: number): Promise<void> {
    const end = this.#now + time;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
      if (!due)
        break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets promises and microtasks run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++)
    await Promise.resolve();
}
