// SPDX-License-Identifier: LGPL-2.1-or-later
// From capture and input to photon: what the server tells of a frame, what we saw of it, and what becomes of both (docs/latency.md).
import { ClockAlignment } from "./clock-alignment";
import type { InputRecord } from "./input-record";
import type { FrameTiming, LatencyReport } from "./messages";
import type { Way } from "./race";

/** When a frame was what here, ms of our clock. */
export interface Shown {
  /** Null if the browser does not tell. */
  receivedAt: number | null;
  decodedAt: number | null;
  /** The page was rendered with it. */
  presentedAt: number;
  /** Frames shown since the one before that we know nothing of. */
  missed: number;
}

/** The way from input to photon, in order; the first two only of frames that answer input. */
export const kStages = ["input", "program", "capture", "encode", "send", "network", "decode", "present"] as const;
export type Stage = (typeof kStages)[number];

export interface Quantiles { p50: number; p95: number; count: number }

/** All in ms. */
export interface LatencySummary {
  captureToPhoton: Quantiles | null;
  inputToPhoton: Quantiles | null;
  stages: Partial<Record<Stage, Quantiles>>;
  /** How wrong what needs both clocks may be; null while they are not aligned. Input to photon needs only ours. */
  uncertainty: number | null;
  /** The alignment can be trusted. */
  sure: boolean;
}

const kShownMost = 256;
const kTimingsMost = 128;
const kInputsMost = 64;
const kSamplesMost = 256;
/** Older samples go when newer ones come, ms. */
const kSampleAge = 60000;
/** More than this, ms, is not to be trusted: it is as much as what is measured. */
const kSureUncertainty = 25;
/** As many frames go into one report. */
const kReportFrames = 64;
/** An input is numbered in the task that handles its event; what happened earlier is another event. */
const kHandling = 250;

interface Sample { at: number; captureToPhoton: number | null; inputToPhoton: number | null; stages: Partial<Record<Stage, number>> }
interface Matched { timing: FrameTiming; shown: Shown; inputAt: number | null }

const bounded = <K, V>(map: Map<K, V>, most: number) => {
  for (const key of map.keys()) {
    if (map.size <= most)
      return;
    map.delete(key);
  }
};

/** RTP times go round. */
const isAfter = (a: number, b: number) => a !== b && ((a - b) >>> 0) < 0x80000000;

const quantiles = (values: number[]): Quantiles | null => {
  if (values.length === 0)
    return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), count: sorted.length };
};

export class LatencyMeter {
  readonly #clock = new ClockAlignment();
  readonly #shown = { webrtc: new Map<number, Shown>(), websocket: new Map<number, Shown>() };
  readonly #timings = { webrtc: new Map<number, FrameTiming>(), websocket: new Map<number, FrameTiming>() };
  readonly #inputs = new Map<number, number>();
  #eventAt = -Infinity;
  #matched: Matched[] = [];
  #samples: Sample[] = [];

  /** Another session: another server's clock, other numbers. What was measured stays. */
  reset(): void {
    this.#clock.reset();
    for (const map of [this.#shown.webrtc, this.#shown.websocket, this.#timings.webrtc, this.#timings.websocket, this.#inputs])
      map.clear();
    this.#matched = [];
  }

  /** A ping left and came back, ms; the server's time is in µs. */
  pong(left: number, came: number, serverUs: number): void {
    this.#clock.add(left, came, serverUs / 1000);
  }

  /** The browser's event that is being handled happened then, ms. */
  happened(at: number): void {
    this.#eventAt = at;
  }

  /** An input was numbered, in the same task as what happened, at `at`. */
  numbered(record: InputRecord, at: number): void {
    const acts = record.type === "scroll" || ((record.type === "key" || record.type === "button") && record.down);
    if (!acts)
      return;
    this.#inputs.set(record.sequence, this.#eventAt <= at && at - this.#eventAt < kHandling ? this.#eventAt : at);
    bounded(this.#inputs, kInputsMost);
  }

  /** The server tells of frames. */
  told(way: Way, timings: readonly FrameTiming[]): void {
    for (const timing of timings) {
      const shown = this.#shown[way].get(timing.rtpTime) ?? this.#overtaker(way, timing.rtpTime);
      if (shown) {
        this.#match(way, timing, shown);
        continue;
      }
      this.#timings[way].set(timing.rtpTime, timing);
      bounded(this.#timings[way], kTimingsMost);
    }
  }

  /** A frame is on the screen. */
  presented(way: Way, rtpTime: number, shown: Shown): void {
    this.#shown[way].set(rtpTime, shown);
    bounded(this.#shown[way], kShownMost);
    for (const timing of [...this.#timings[way].values()]) {
      if (timing.rtpTime === rtpTime)
        this.#match(way, timing, shown);
      else if (isAfter(rtpTime, timing.rtpTime)) {
        const overtaker = this.#overtaker(way, timing.rtpTime);
        if (overtaker)
          this.#match(way, timing, overtaker);
        else
          this.#timings[way].delete(timing.rtpTime);
      }
    }
  }

  /**
   * A frame that was left out for a newer one: what it shows came with that. Not if frames were shown that we know nothing of: it may have
   * been one of them.
   */
  #overtaker(way: Way, rtpTime: number): Shown | null {
    for (const [time, shown] of this.#shown[way])
      if (isAfter(time, rtpTime))
        return shown.missed > 0 ? null : { ...shown, receivedAt: null, decodedAt: null };
    return null;
  }

  /** Reports that are due. A frame waits for the ping after it, which shows whether the clocks were still aligned. */
  take(): LatencyReport[] {
    const ready = this.#matched.filter((one) => one.shown.presentedAt <= this.#clock.confirmedUntil);
    if (ready.length === 0)
      return [];
    this.#matched = this.#matched.filter((one) => one.shown.presentedAt > this.#clock.confirmedUntil);
    const reports: LatencyReport[] = [];
    for (let from = 0; from < ready.length; from += kReportFrames)
      reports.push(this.#report(ready.slice(from, from + kReportFrames)));
    return reports;
  }

  summary(): LatencySummary {
    const of = (pick: (sample: Sample) => number | null | undefined) =>
      quantiles(this.#samples.map(pick).filter((value): value is number => typeof value === "number"));
    const stages: LatencySummary["stages"] = {};
    for (const stage of kStages) {
      const values = of((sample) => sample.stages[stage]);
      if (values)
        stages[stage] = values;
    }
    const uncertainty = this.#clock.align(this.#clock.confirmedUntil)?.uncertainty ?? null;
    return {
      captureToPhoton: of((sample) => sample.captureToPhoton), inputToPhoton: of((sample) => sample.inputToPhoton), stages, uncertainty,
      sure: uncertainty !== null && uncertainty <= kSureUncertainty,
    };
  }

  #match(way: Way, timing: FrameTiming, shown: Shown): void {
    this.#timings[way].delete(timing.rtpTime);
    const inputAt = timing.input > 0 ? this.#inputs.get(timing.input) ?? null : null;
    if (timing.input > 0)
      for (const sequence of this.#inputs.keys())
        if (sequence <= timing.input)
          this.#inputs.delete(sequence);
    this.#matched.push({ timing, shown, inputAt });
    if (this.#matched.length > kShownMost)
      this.#matched.shift();
  }

  #report(matched: readonly Matched[]): LatencyReport {
    const newest = matched[matched.length - 1]?.shown.presentedAt ?? 0;
    const uncertainty = this.#clock.align(newest)?.uncertainty ?? Infinity;
    const report: LatencyReport = {
      type: "latency", sure: uncertainty <= kSureUncertainty, uncertainty: Math.min(1e9, Math.round(1000 * uncertainty)), frames: [],
    };
    for (const { timing, shown, inputAt } of matched) {
      const offset = this.#clock.align(shown.presentedAt)?.offset ?? 0;
      // µs after the capture by the server's clock.
      const since = (at: number | null) => (at === null ? 0 : Math.round(1000 * (at + offset) - timing.captureUs));
      const presented = since(shown.presentedAt), received = since(shown.receivedAt);
      const decoded = received === 0 ? 0 : since(shown.decodedAt);
      const input = inputAt === null ? 0 : Math.max(1, Math.round(1000 * (shown.presentedAt - inputAt)));
      report.frames.push(input > 0 ? [timing.id, received, decoded, presented, input] : [timing.id, received, decoded, presented]);
      this.#keep(timing, shown, { received, decoded, presented, input });
    }
    return report;
  }

  #keep(timing: FrameTiming, shown: Shown, us: { received: number; decoded: number; presented: number; input: number }): void {
    const stages: Sample["stages"] = {};
    // What comes out below zero is the clocks' uncertainty.
    const stage = (name: Stage, from: number, to: number) => (stages[name] = Math.max(0, to - from) / 1000);
    if (timing.pictureUs > 0) {
      stage("capture", 0, timing.pictureUs);
      stage("encode", timing.pictureUs, timing.encodedUs);
    }
    stage("send", timing.encodedUs, timing.sentUs);
    if (us.received !== 0)
      stage("network", timing.sentUs, us.received);
    if (us.decoded !== 0) {
      stage("decode", us.received, us.decoded);
      stage("present", us.decoded, us.presented);
    }
    if (us.input > 0) {
      stage("input", us.presented + timing.sinceInjectionUs, us.input);
      stage("program", 0, timing.sinceInjectionUs);
    }
    this.#samples.push({
      at: shown.presentedAt, captureToPhoton: Math.max(0, us.presented) / 1000, inputToPhoton: us.input > 0 ? us.input / 1000 : null, stages,
    });
    while (this.#samples.length > kSamplesMost || (this.#samples[0]?.at ?? Infinity) < shown.presentedAt - kSampleAge)
      this.#samples.shift();
  }
}
