// SPDX-License-Identifier: LGPL-2.1-or-later
// Typed events and the clock: what every part of the core shares.

/** Listeners by event name; `E` maps each name to the type of its value. */
export class Emitter<E extends object> {
  readonly #listeners = new Map<keyof E, Set<(value: never) => void>>();

  /** Calls `listener` for each event of that name until `signal` aborts. */
  on<K extends keyof E>(type: K, listener: (value: E[K]) => void, signal?: AbortSignal): void {
    if (signal?.aborted)
      return;
    let listeners = this.#listeners.get(type);
    if (!listeners)
      this.#listeners.set(type, (listeners = new Set()));
    const entry = listener as (value: never) => void;
    listeners.add(entry);
    const set = listeners;
    signal?.addEventListener("abort", () => set.delete(entry), { once: true });
  }

  emit<K extends keyof E>(type: K, value: E[K]): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])])
      (listener as (value: E[K]) => void)(value);
  }
}

/** Time and timers, so that tests can hold the clock. All times in milliseconds. */
export interface Clock {
  now(): number;
  setTimeout(run: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (run, delay) => setTimeout(run, delay),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** One timer that can be set again and cannot fire after its signal aborted. */
export class Timer {
  readonly #clock: Clock;
  #timer: unknown = null;

  constructor(clock: Clock, signal?: AbortSignal) {
    this.#clock = clock;
    signal?.addEventListener("abort", () => this.cancel(), { once: true });
  }

  get running(): boolean {
    return this.#timer !== null;
  }

  start(delay: number, run: () => void): void {
    this.cancel();
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      run();
    }, delay);
  }

  cancel(): void {
    if (this.#timer !== null)
      this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
