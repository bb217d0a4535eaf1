// SPDX-License-Identifier: LGPL-2.1-or-later
// Clipboard contents to and from the desktop in pieces (docs/protocol.md, section 7). No DOM access.
import { type Clock, Emitter, Timer, systemClock } from "./events";
import type { DesktopMessage } from "./messages";

export type ClipboardType = "text/plain" | "text/html" | "image/png";
export const kClipboardTypes: readonly ClipboardType[] = ["text/plain", "text/html", "image/png"];

export interface ClipboardItemData { type: ClipboardType; bytes: Uint8Array<ArrayBuffer> }
/** One thing that was copied, in one to three forms. */
export type ClipboardContent = readonly ClipboardItemData[];

export interface ClipboardLinkEvents {
  /** The desktop's clipboard has changed. */
  received: ClipboardContent;
  /** What was on its way will not come, or not arrive: `too-large`, `timeout`, `format`, `off`, `malformed`. */
  refused: string;
}

const kChunk = 32768;
/** A viewer may send 200 messages per second in all. */
const kChunkInterval = 10;
const kAckInterval = 20;
const kWindowFirst = 2;
const kWindowMost = 16;
const kLate = 60;
const kPatience = 15000;

export function sizeOf(content: ClipboardContent): number {
  return content.reduce((sum, item) => sum + item.bytes.length, 0);
}

/** Equal for equal contents. */
export function signatureOf(content: ClipboardContent): string {
  return content.map(({ type, bytes }) => {
    let a = 0x811c9dc5, b = 0x9e3779b9;
    for (const byte of bytes) {
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b + byte, 0x85ebca6b) ^ (b >>> 13);
    }
    return `${type}:${bytes.length}:${a >>> 0}:${b >>> 0}`;
  }).join(" ");
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Null if it is no base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  let raw: string;
  try {
    raw = atob(text);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++)
    bytes[i] = raw.charCodeAt(i);
  return bytes;
}

interface Outgoing {
  id: number;
  content: ClipboardContent;
  total: number;
  sent: number;
  underWay: { end: number; at: number }[];
  window: number;
  slowUntil: number;
  starting: boolean;
  least: number;
  done: (arrived: boolean) => void;
}
interface Incoming {
  id: number;
  items: { type: ClipboardType; size: number; parts: Uint8Array<ArrayBuffer>[]; received: number }[];
  total: number;
  received: number;
}

/** One connection's clipboard. Never more is under way than the path carries without delaying what shares it. */
export class ClipboardLink extends Emitter<ClipboardLinkEvents> {
  readonly #send: (message: DesktopMessage) => void;
  readonly #clock: Clock;
  readonly #pace: Timer;
  readonly #patience: Timer;
  readonly #ackTimer: Timer;
  #nextId = 1;
  #out: Outgoing | null = null;
  #in: Incoming | null = null;
  #lastChunk = -Infinity;
  #lastAck = -Infinity;
  /** Bytes that a content may have, from the server. */
  limit = 0;

  constructor(send: (message: DesktopMessage) => void, signal?: AbortSignal, clock: Clock = systemClock) {
    super();
    this.#send = send;
    this.#clock = clock;
    this.#pace = new Timer(clock, signal);
    this.#patience = new Timer(clock, signal);
    this.#ackTimer = new Timer(clock, signal);
  }

  get sending(): boolean {
    return this.#out !== null;
  }

  /** Puts a content on the desktop's clipboard; resolves to whether it arrived. One that is still on its way is given up. */
  offer(content: ClipboardContent): Promise<boolean> {
    this.#finish(false);
    const total = sizeOf(content);
    if (total > this.limit) {
      this.emit("refused", "too-large");
      return Promise.resolve(false);
    }
    return new Promise((done) => {
      const id = this.#nextId++;
      this.#out = {
        id, content, total, sent: 0, underWay: [], window: kWindowFirst, slowUntil: 0, starting: true, least: Infinity, done,
      };
      this.#send({ type: "desktop/clipboard", id, items: content.map(({ type, bytes }) => ({ type, size: bytes.length })) });
      this.#wait();
      this.#go();
    });
  }

  /** Asks for what the desktop's clipboard holds now. */
  request(): void {
    this.#send({ type: "desktop/clipboard-get" });
  }

  /** Control went to somebody else, or the connection broke. */
  reset(): void {
    this.#finish(false);
    this.#in = null;
    this.#ackTimer.cancel();
  }

  handle(message: DesktopMessage): void {
    const number = (name: string) => {
      const value = message[name];
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : -1;
    };
    switch (message.type) {
      case "desktop/clipboard":
        this.#begin(number("id"), message["items"]);
        break;
      case "desktop/clipboard-data":
        if (typeof message["data"] === "string")
          this.#take(number("id"), number("offset"), message["data"]);
        break;
      case "desktop/clipboard-ack":
        this.#acknowledged(number("id"), number("received"));
        break;
      case "desktop/clipboard-refused": {
        const id = number("id");
        if (id === 0 || id === this.#out?.id) {
          this.emit("refused", String(message["reason"]).slice(0, 64));
          if (id !== 0)
            this.#finish(false);
        }
        break;
      }
    }
  }

  // ---- to the desktop ----

  #wait(): void {
    this.#patience.start(kPatience, () => {
      this.emit("refused", "timeout");
      this.#finish(false);
    });
  }

  #finish(arrived: boolean): void {
    const out = this.#out;
    this.#out = null;
    this.#pace.cancel();
    this.#patience.cancel();
    out?.done(arrived);
  }

  #go(): void {
    const out = this.#out;
    if (!out || this.#pace.running || out.sent === out.total || out.underWay.length >= Math.floor(out.window))
      return;
    const wait = this.#lastChunk + kChunkInterval - this.#clock.now();
    if (wait > 0) {
      this.#pace.start(wait, () => this.#go());
      return;
    }
    const bytes = slice(out.content, out.sent, Math.min(kChunk, out.total - out.sent));
    this.#send({ type: "desktop/clipboard-data", id: out.id, offset: out.sent, data: toBase64(bytes) });
    out.sent += bytes.length;
    this.#lastChunk = this.#clock.now();
    out.underWay.push({ end: out.sent, at: this.#lastChunk });
    this.#pace.start(kChunkInterval, () => this.#go());
  }

  #acknowledged(id: number, received: number): void {
    const out = this.#out;
    if (!out || id !== out.id || received < 0 || received > out.sent)
      return;
    this.#wait();
    while (out.underWay[0] && out.underWay[0].end <= received) {
      const { end, at } = out.underWay.shift() as { end: number; at: number };
      const took = this.#clock.now() - at;
      out.least = Math.min(out.least, took);
      if (took > 2 * out.least + kLate) {
        out.starting = false;
        if (end > out.slowUntil) {
          out.window = Math.max(1, out.window / 2);
          out.slowUntil = out.sent;
        }
      } else {
        out.window = Math.min(kWindowMost, out.window + (out.starting ? 1 : 1 / out.window));
      }
    }
    if (received === out.total)
      this.#finish(true);
    else
      this.#go();
  }

  // ---- from the desktop ----

  #begin(id: number, items: unknown): void {
    this.#in = null;
    if (!Array.isArray(items) || items.length === 0 || items.length > kClipboardTypes.length)
      return;
    const wanted: Incoming["items"] = [];
    for (const item of items as { type?: unknown; size?: unknown }[]) {
      const type = kClipboardTypes.find((known) => known === item?.type), size = item?.size;
      if (!type || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || wanted.some((one) => one.type === type))
        return;
      wanted.push({ type, size, parts: [], received: 0 });
    }
    const total = wanted.reduce((sum, item) => sum + item.size, 0);
    if (total > this.limit) {
      this.#send({ type: "desktop/clipboard-refused", id, reason: "too-large" });
      this.emit("refused", "too-large");
      return;
    }
    this.#in = { id, items: wanted, total, received: 0 };
    this.#taken();
  }

  #take(id: number, offset: number, data: string): void {
    const incoming = this.#in;
    if (!incoming || incoming.id !== id)
      return;
    const bytes = fromBase64(data);
    if (!bytes || offset !== incoming.received || bytes.length > incoming.total - incoming.received) {
      this.#in = null;
      this.#send({ type: "desktop/clipboard-refused", id, reason: "malformed" });
      return;
    }
    let at = 0;
    for (const item of incoming.items) {
      const part = bytes.subarray(at, at + Math.min(item.size - item.received, bytes.length - at));
      if (part.length)
        item.parts.push(part);
      item.received += part.length;
      at += part.length;
    }
    incoming.received += bytes.length;
    this.#taken();
  }

  #taken(): void {
    const incoming = this.#in;
    if (!incoming)
      return;
    const complete = incoming.received === incoming.total;
    const ack = () => {
      this.#lastAck = this.#clock.now();
      this.#send({ type: "desktop/clipboard-ack", id: incoming.id, received: incoming.received });
    };
    const wait = this.#lastAck + kAckInterval - this.#clock.now();
    if (complete || wait <= 0) {
      this.#ackTimer.cancel();
      ack();
    } else if (!this.#ackTimer.running) {
      this.#ackTimer.start(wait, ack);
    }
    if (!complete)
      return;
    this.#in = null;
    this.emit("received", incoming.items.map(({ type, size, parts }) => {
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      return { type, bytes };
    }));
  }
}

function slice(content: ClipboardContent, from: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  for (const { bytes } of content) {
    if (from < bytes.length) {
      const part = bytes.subarray(from, from + size - at);
      out.set(part, at);
      at += part.length;
      from = 0;
    } else {
      from -= bytes.length;
    }
  }
  return out;
}
