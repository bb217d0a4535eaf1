// SPDX-License-Identifier: LGPL-2.1-or-later
// A session's WebSocket through an external signalling server (docs/protocol.md, section 8): calls the desktop by its name there.
import { type Clock, Timer, systemClock } from "./events";
import { kInputMessageMax } from "./input-record";
import type { SocketLike } from "./session";

/** Such servers pass on text only, and not much of it: records that wait this long go together. */
const kTogether = 20;
const kNormal = 1000;
const kOpen = 1;

/** A name that nobody else has there. */
function ownName(): string {
  return `page-${Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export class SignallerSocket implements SocketLike {
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  readonly #socket: SocketLike;
  readonly #timer: Timer;
  #called = false;
  #waiting: Uint8Array[] = [];
  #size = 0;

  constructor(socket: SocketLike, peer: string, clock: Clock = systemClock, name = ownName()) {
    this.#socket = socket;
    this.#timer = new Timer(clock);
    socket.onopen = () => socket.send(`HELLO ${name}`);
    socket.onmessage = (event) => {
      const text = typeof event.data === "string" ? event.data : "";
      if (this.#called)
        this.onmessage?.(event);
      else if (text === "HELLO")
        socket.send(`SESSION ${peer}`);
      else if (/^SESSION_OK( |$)/.test(text))
        this.#open();
      else if (text.startsWith("ERROR"))
        this.#end(kNormal, text.slice(6));
    };
    socket.onclose = (event) => this.#end(event.code, event.reason);
  }

  get readyState(): number {
    return this.#called ? this.#socket.readyState : 0;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount + this.#size;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (typeof data === "string") {
      this.#socket.send(data);
      return;
    }
    if (this.#size + data.length > kInputMessageMax)
      this.#flush();
    this.#waiting.push(data.slice());
    this.#size += data.length;
    if (!this.#timer.running)
      this.#timer.start(kTogether, () => this.#flush());
  }

  close(): void {
    this.#timer.cancel();
    this.#socket.close();
  }

  #open(): void {
    this.#called = true;
    this.onopen?.(undefined as never);
  }

  #end(code: number, reason: string): void {
    this.#timer.cancel();
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.onclose?.({ code, reason });
  }

  #flush(): void {
    this.#timer.cancel();
    if (this.#size > 0 && this.#socket.readyState === kOpen) {
      const bytes = this.#waiting.flatMap((part) => Array.from(part));
      this.#socket.send(JSON.stringify({ type: "input", records: btoa(String.fromCharCode(...bytes)) }));
    }
    this.#waiting = [];
    this.#size = 0;
  }
}

/** The name that an address asks for: "?peer=NAME"; null: none, or no name. */
export function peerOf(search: string): string | null {
  const peer = new URLSearchParams(search).get("peer");
  return peer !== null && /^[\x21-\x7e]{1,64}$/.test(peer) ? peer : null;
}
