// SPDX-License-Identifier: LGPL-2.1-or-later
// Input records, the binary part of the wire (docs/protocol.md, section 4): encode and decode.

export const kInputVersion = 1;
export const kHeaderSize = 16;
export const kInputMessageMax = 4096;

export interface PicturePosition { x: number; y: number; width: number; height: number }

/** What a key stands for: where it is, or what it prints. Without it the server takes whichever fits. */
export type KeyMeaning = "position" | "text";

export interface KeyRecord {
  down: boolean;
  repeat: boolean;
  /** Linux evdev code, 0 if unknown. */
  code: number;
  /** X11 keysym, 0 if none. */
  keysym: number;
  modifiers: number;
  meaning?: KeyMeaning;
}

/** Gamepads, and what of one goes out. */
export const kPadsMost = 4;
export const kPadButtonsMost = 32;
export const kPadAxesMost = 8;

/** How the browser numbers a gamepad's buttons and axes; "gone": it was unplugged. */
export type PadKind = "gone" | "standard" | "raw";

export interface PadRecord {
  pad: number;
  kind: PadKind;
  /** How many there are. */
  buttons: number;
  axes: number;
}

/** All of a gamepad at one moment. */
export interface PadState {
  pad: number;
  /** Bit n: button n is pressed. */
  buttons: number;
  /** kPadAxesMost values from -32768 to 32767; of the standard mapping the first four and both triggers. */
  axes: readonly number[];
}

export type InputEvent =
  | ({ type: "key" } & KeyRecord)
  | ({ type: "pointer" } & PicturePosition)
  | { type: "motion"; dx: number; dy: number }
  | { type: "button"; button: number; down: boolean; position: PicturePosition | null }
  | { type: "scroll"; dx: number; dy: number }
  | { type: "release" }
  | { type: "alive" }
  | ({ type: "pad" } & PadRecord)
  | ({ type: "padAxes" } & PadState)
  | ({ type: "padButtons" } & PadState);

export type InputType = InputEvent["type"];
export type InputRecord = InputEvent & { sequence: number; after: number; time: number };

const kTypes: Record<InputType, { number: number; body: number; ordered: boolean }> = {
  key: { number: 1, body: 12, ordered: true },
  pointer: { number: 2, body: 8, ordered: false },
  motion: { number: 3, body: 4, ordered: true },
  button: { number: 4, body: 12, ordered: true },
  scroll: { number: 5, body: 8, ordered: true },
  release: { number: 6, body: 0, ordered: true },
  alive: { number: 7, body: 0, ordered: false },
  pad: { number: 8, body: 4, ordered: true },
  padAxes: { number: 9, body: 24, ordered: false },
  padButtons: { number: 10, body: 24, ordered: true },
};

/** By their number on the wire. */
const kMeanings: readonly (KeyMeaning | undefined)[] = [undefined, "position", "text"];
const kPadKinds: readonly PadKind[] = ["gone", "standard", "raw"];

/** Whether records of that type must be applied in the order in which they were made. */
export function isOrdered(type: InputType): boolean {
  return kTypes[type].ordered;
}

/** Size on the wire, header included. */
export function recordSize(type: InputType): number {
  return kHeaderSize + kTypes[type].body;
}

export type InputProblem = "truncated" | "version" | "length" | "sequence" | "value";

export class InputRecordError extends Error {
  constructor(readonly problem: InputProblem) {
    super(`input record: ${problem}`);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.trunc(value)));
}

function writePosition(view: DataView, at: number, position: PicturePosition): void {
  view.setUint16(at, clamp(position.x, 0, 0xffff));
  view.setUint16(at + 2, clamp(position.y, 0, 0xffff));
  view.setUint16(at + 4, clamp(position.width, 0, 0xffff));
  view.setUint16(at + 6, clamp(position.height, 0, 0xffff));
}

function writeBody(view: DataView, at: number, event: InputEvent): void {
  switch (event.type) {
    case "key":
      view.setUint8(at, event.down ? 1 : 0);
      view.setUint8(at + 1, (event.repeat ? 1 : 0) | kMeanings.indexOf(event.meaning) << 1);
      view.setUint16(at + 2, event.code);
      view.setUint32(at + 4, event.keysym);
      view.setUint16(at + 8, event.modifiers);
      break;
    case "pointer":
      writePosition(view, at, event);
      break;
    case "motion":
      view.setInt16(at, clamp(event.dx, -0x8000, 0x7fff));
      view.setInt16(at + 2, clamp(event.dy, -0x8000, 0x7fff));
      break;
    case "button":
      view.setUint8(at, event.button);
      view.setUint8(at + 1, event.down ? 1 : 0);
      if (event.position) {
        view.setUint8(at + 2, 1);
        writePosition(view, at + 4, event.position);
      }
      break;
    case "scroll":
      view.setInt32(at, clamp(event.dx, -0x80000000, 0x7fffffff));
      view.setInt32(at + 4, clamp(event.dy, -0x80000000, 0x7fffffff));
      break;
    case "release":
    case "alive":
      break;
    case "pad":
      view.setUint8(at, event.pad);
      view.setUint8(at + 1, kPadKinds.indexOf(event.kind));
      view.setUint8(at + 2, clamp(event.buttons, 0, kPadButtonsMost));
      view.setUint8(at + 3, clamp(event.axes, 0, kPadAxesMost));
      break;
    case "padAxes":
    case "padButtons":
      view.setUint8(at, event.pad);
      view.setUint32(at + 4, event.buttons >>> 0);
      for (let axis = 0; axis < kPadAxesMost; ++axis)
        view.setInt16(at + 8 + 2 * axis, clamp(event.axes[axis] ?? 0, -0x8000, 0x7fff));
      break;
  }
}

/** One message of the given records, back to back. The caller keeps it within kInputMessageMax. */
export function encodeInput(records: readonly InputRecord[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + recordSize(record.type), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const record of records) {
    const type = kTypes[record.type];
    view.setUint8(at, kInputVersion);
    view.setUint8(at + 1, type.number);
    view.setUint16(at + 2, type.body);
    view.setUint32(at + 4, record.sequence);
    view.setUint32(at + 8, record.after);
    view.setUint32(at + 12, record.time);
    writeBody(view, at + kHeaderSize, record);
    at += recordSize(record.type);
  }
  return bytes;
}

function readFlag(view: DataView, at: number): boolean {
  const value = view.getUint8(at);
  if (value > 1)
    throw new InputRecordError("value");
  return value === 1;
}

function readPosition(view: DataView, at: number): PicturePosition {
  const position = {
    x: view.getUint16(at), y: view.getUint16(at + 2), width: view.getUint16(at + 4), height: view.getUint16(at + 6),
  };
  if (position.width === 0 || position.height === 0)
    throw new InputRecordError("value");
  return position;
}

function readPad(view: DataView, at: number): number {
  const pad = view.getUint8(at);
  if (pad >= kPadsMost)
    throw new InputRecordError("value");
  return pad;
}

function readBody(view: DataView, at: number, type: InputType): InputEvent {
  switch (type) {
    case "key": {
      const flags = view.getUint8(at + 1), number = flags >> 1 & 3;
      if (number >= kMeanings.length)
        throw new InputRecordError("value");
      const meaning = kMeanings[number];
      return {
        type, down: readFlag(view, at), repeat: (flags & 1) !== 0, code: view.getUint16(at + 2),
        keysym: view.getUint32(at + 4), modifiers: view.getUint16(at + 8), ...(meaning ? { meaning } : {}),
      };
    }
    case "pointer":
      return { type, ...readPosition(view, at) };
    case "motion":
      return { type, dx: view.getInt16(at), dy: view.getInt16(at + 2) };
    case "button": {
      const button = view.getUint8(at);
      if (button === 0 || (button >= 4 && button <= 7))
        throw new InputRecordError("value");
      const down = readFlag(view, at + 1);
      return { type, button, down, position: (view.getUint8(at + 2) & 1) !== 0 ? readPosition(view, at + 4) : null };
    }
    case "scroll":
      return { type, dx: view.getInt32(at), dy: view.getInt32(at + 4) };
    case "release":
    case "alive":
      return { type };
    case "pad": {
      const kind = kPadKinds[view.getUint8(at + 1)];
      const pad = { pad: readPad(view, at), buttons: view.getUint8(at + 2), axes: view.getUint8(at + 3) };
      if (!kind || pad.buttons > kPadButtonsMost || pad.axes > kPadAxesMost)
        throw new InputRecordError("value");
      return { type, kind, ...pad };
    }
    case "padAxes":
    case "padButtons":
      return {
        type, pad: readPad(view, at), buttons: view.getUint32(at + 4),
        axes: Array.from({ length: kPadAxesMost }, (_, axis) => view.getInt16(at + 8 + 2 * axis)),
      };
  }
}

/** Reads one message. Unknown types are skipped; anything wrong refuses the whole message by an InputRecordError. */
export function decodeInput(bytes: Uint8Array): InputRecord[] {
  if (bytes.length > kInputMessageMax)
    throw new InputRecordError("length");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: InputRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at;
    if (view.getUint8(at) !== kInputVersion)
      throw new InputRecordError("version");
    if (left < kHeaderSize)
      throw new InputRecordError("truncated");
    const number = view.getUint8(at + 1);
    const length = view.getUint16(at + 2);
    const known = (Object.keys(kTypes) as InputType[]).find((name) => kTypes[name].number === number);
    if (length > kInputMessageMax - kHeaderSize || (known && length !== kTypes[known].body))
      throw new InputRecordError("length");
    if (left < kHeaderSize + length)
      throw new InputRecordError("truncated");
    const sequence = view.getUint32(at + 4);
    const after = view.getUint32(at + 8);
    if (sequence === 0 || after >= sequence)
      throw new InputRecordError("sequence");
    if (known)
      records.push({ ...readBody(view, at + kHeaderSize, known), sequence, after, time: view.getUint32(at + 12) });
    at += kHeaderSize + length;
  }
  return records;
}
