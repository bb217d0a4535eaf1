// SPDX-License-Identifier: LGPL-2.1-or-later
// Aligns the server's clock with ours by ping. No clock of its own.

export interface Alignment {
  /** Server's time less ours, ms. */
  offset: number;
  /** The offset is no further than this from the truth, ms. */
  uncertainty: number;
}

/** Clocks drift apart by at most so much; those of computers do by less than half of it. */
const kDrift = 200e-6;
/** Browsers round their clock, ms. */
const kRounding = 0.1;
const kSamples = 64;
/** Pings that have to agree before anything is said. */
const kAgree = 3;

/**
 * A pong was written between the ping's departure and its own arrival: so the offset lies between two bounds, however the delay is shared out
 * between there and back. Pings that were fast have narrow bounds; with time bounds widen by what clocks may drift. The offset is within all
 * of them; when it cannot be, one of the clocks was set or has stood still, and all begins anew.
 */
export class ClockAlignment {
  #samples: { at: number; low: number; high: number }[] = [];
  #confirmed = -Infinity;
  #jumps = 0;

  /** How often a clock has jumped. */
  get jumps(): number {
    return this.#jumps;
  }
  /** What was measured by our clock up to here is on the right side of any jump. */
  get confirmedUntil(): number {
    return this.#samples.length < kAgree ? -Infinity : this.#confirmed;
  }

  reset(): void {
    this.#samples = [];
    this.#confirmed = -Infinity;
  }

  /** A ping left and its pong came, by our clock; the server wrote it, by its own. All in ms. */
  add(left: number, came: number, server: number): void {
    if (!Number.isFinite(left) || !Number.isFinite(came) || !Number.isFinite(server) || came < left)
      return;
    const at = (left + came) / 2;
    const sample = { at, low: server - came - kRounding, high: server - left + kRounding };
    const bounds = this.#bounds(at);
    if (bounds && (sample.low > bounds.high || sample.high < bounds.low)) {
      this.#jumps++;
      this.#samples = [];
    }
    this.#samples.push(sample);
    if (this.#samples.length > kSamples)
      this.#samples.shift();
    this.#confirmed = left;
  }

  /** As it is, or was, at `at` of our clock; null while pings do not agree yet. */
  align(at: number): Alignment | null {
    const bounds = this.#samples.length < kAgree ? null : this.#bounds(at);
    if (!bounds)
      return null;
    return { offset: (bounds.low + bounds.high) / 2, uncertainty: Math.max(0, (bounds.high - bounds.low) / 2) };
  }

  #bounds(at: number): { low: number; high: number } | null {
    let low = -Infinity, high = Infinity;
    for (const sample of this.#samples) {
      const drift = kDrift * Math.abs(at - sample.at);
      low = Math.max(low, sample.low - drift);
      high = Math.min(high, sample.high + drift);
    }
    return this.#samples.length > 0 ? { low, high } : null;
  }
}
