// SPDX-License-Identifier: LGPL-2.1-or-later
// From the browser's gamepads to input records: which of them the desktop gets, and what has changed since it was last told.
import { type PadKind, type PadRecord, type PadState, kPadAxesMost, kPadButtonsMost, kPadsMost } from "./input-record";

/** What is used of a Gamepad. */
export interface PadLike {
  readonly index: number;
  readonly id: string;
  readonly connected: boolean;
  readonly mapping: string;
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[];
  readonly axes: readonly number[];
}

/** Where records go: an InputSender. */
export interface PadSink {
  pad(pad: PadRecord): void;
  padState(state: PadState, pressed: boolean): void;
}

/** What the user is told of a gamepad. */
export interface PadReport {
  index: number;
  id: string;
  /** From 0; null: there are more than the desktop takes. */
  slot: number | null;
  /** How many there are, and how many of them the desktop takes. */
  buttons: { taken: number; all: number };
  axes: { taken: number; all: number };
}

/** A gamepad that is not at rest says so as often as keys do, or the server lets go of it. */
const kAliveInterval = 500;
/** Smaller moves of a stick are noise, but for those that bring it to rest or to its end. */
const kFuzz = 64;
const kOne = 32767;
/** An axis that begins this far out rests there. */
const kAtTheEnd = 29490;
const kLeftTrigger = 6;
const kRightTrigger = 7;

interface Slot {
  index: number;
  id: string;
  record: PadRecord;
  /** Where its axes are when nobody touches it. */
  rest: PadState;
  sent: PadState;
  sentAt: number;
}

function scaled(value: number): number {
  return Number.isFinite(value) ? Math.round(Math.min(1, Math.max(-1, value)) * kOne) : 0;
}

function recordOf(pad: PadLike, slot: number): PadRecord {
  const kind: PadKind = pad.mapping === "standard" ? "standard" : "raw";
  return { pad: slot, kind, buttons: Math.min(pad.buttons.length, kPadButtonsMost), axes: Math.min(pad.axes.length, kPadAxesMost) };
}

function stateOf(pad: PadLike, { pad: slot, kind, buttons: count }: PadRecord): PadState {
  let buttons = 0;
  for (let i = 0; i < count; ++i)
    if (pad.buttons[i]?.pressed)
      buttons |= 1 << i;
  const axes = Array.from({ length: kPadAxesMost }, (_, i) => scaled(pad.axes[i] ?? 0));
  if (kind === "standard") {
    axes.fill(0, 4);
    axes[4] = scaled(Math.max(0, pad.buttons[kLeftTrigger]?.value ?? 0));
    axes[5] = scaled(Math.max(0, pad.buttons[kRightTrigger]?.value ?? 0));
  }
  return { pad: slot, buttons: buttons >>> 0, axes };
}

function nothing(slot: number): PadState {
  return { pad: slot, buttons: 0, axes: new Array<number>(kPadAxesMost).fill(0) };
}

/** Of a gamepad that begins with this state: pedals and triggers of other mappings than the standard one rest at an end of their way. The server does the same. */
function restOf(first: PadState, { pad: slot, kind }: PadRecord): PadState {
  return kind === "standard" ? nothing(slot) : { pad: slot, buttons: 0, axes: first.axes.map((value) => (Math.abs(value) < kAtTheEnd ? 0 : Math.sign(value) * kOne)) };
}

function moved(before: number, after: number): boolean {
  return before !== after && (Math.abs(before - after) >= kFuzz || after === 0 || Math.abs(after) === kOne);
}

function atRest(state: PadState, rest: PadState): boolean {
  return state.buttons === 0 && state.axes.every((value, i) => Math.abs(value - (rest.axes[i] ?? 0)) < kFuzz);
}

export class Gamepads {
  #slots: (Slot | null)[] = new Array<Slot | null>(kPadsMost).fill(null);
  #sink: PadSink | null = null;

  /** Tells `sink` what is new of these gamepads. Another sink than before is told everything; null: nobody is told. */
  update(pads: readonly (PadLike | null)[], sink: PadSink | null, now: number): void {
    if (sink !== this.#sink) {
      this.#sink = sink;
      this.#slots = this.#slots.map(() => null);
    }
    if (!sink)
      return;
    const there = pads.filter((pad): pad is PadLike => pad !== null && pad.connected);
    for (const [number, slot] of this.#slots.entries())
      if (slot && !there.some((pad) => pad.index === slot.index)) {
        sink.pad({ pad: number, kind: "gone", buttons: 0, axes: 0 });
        this.#slots[number] = null;
      }
    for (const pad of there)
      this.#tell(pad, sink, now);
  }

  #tell(pad: PadLike, sink: PadSink, now: number): void {
    let number = this.#slots.findIndex((slot) => slot?.index === pad.index);
    if (number < 0)
      number = this.#slots.indexOf(null);
    if (number < 0)
      return;
    const record = recordOf(pad, number);
    const state = stateOf(pad, record);
    let slot = this.#slots[number];
    let first = false;
    // Another one may have come in its place.
    if (!slot || slot.id !== pad.id || slot.record.kind !== record.kind || slot.record.buttons !== record.buttons || slot.record.axes !== record.axes) {
      slot = { index: pad.index, id: pad.id, record, rest: restOf(state, record), sent: nothing(number), sentAt: now };
      this.#slots[number] = slot;
      sink.pad(record);
      first = record.kind === "raw";  // it tells where the axes rest
    }
    const pressed = state.buttons !== slot.sent.buttons;
    const changed = pressed || state.axes.some((value, i) => moved(slot.sent.axes[i] ?? 0, value));
    if (!first && !changed && (atRest(state, slot.rest) || now - slot.sentAt < kAliveInterval))
      return;
    sink.padState(state, pressed);
    slot.sent = state;
    slot.sentAt = now;
  }

  /** The server has let go of all gamepads, for the page lost the focus: they are at rest until the next update. */
  suspend(): void {
    for (const [number, slot] of this.#slots.entries())
      if (slot)
        slot.sent = { ...slot.rest, pad: number };
  }

  /** The browser's number of the gamepad that the desktop knows by this one. */
  indexOf(slot: number): number | null {
    return this.#slots[slot]?.index ?? null;
  }

  report(pads: readonly (PadLike | null)[]): PadReport[] {
    return pads.filter((pad): pad is PadLike => pad !== null && pad.connected).map((pad) => {
      const slot = this.#slots.findIndex((one) => one?.index === pad.index);
      return {
        index: pad.index, id: pad.id, slot: slot < 0 ? null : slot,
        buttons: { taken: Math.min(pad.buttons.length, kPadButtonsMost), all: pad.buttons.length },
        axes: { taken: Math.min(pad.axes.length, kPadAxesMost), all: pad.axes.length },
      };
    });
  }
}

/** What a gamepad's motors are to do (desktop/gamepad-rumble). */
export interface RumbleOrder {
  pad: number;
  strong: number;
  weak: number;
  /** ms; 0: stop. */
  duration: number;
}

const kLongestRumble = 5000;

/** Null for a message that is malformed. */
export function rumbleOf(message: { readonly [member: string]: unknown }): RumbleOrder | null {
  const number = (name: string, most: number) => {
    const value = message[name];
    return typeof value === "number" && value >= 0 && value <= most ? value : NaN;
  };
  const order = { pad: number("pad", kPadsMost - 1), strong: number("strong", 1), weak: number("weak", 1), duration: number("duration", kLongestRumble) };
  return Object.values(order).some(Number.isNaN) || !Number.isInteger(order.pad) ? null : order;
}
