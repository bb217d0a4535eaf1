// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers, batches and sends input records on the data channel and the WebSocket (docs/protocol.md, section 4).
import { type Clock, Timer, systemClock } from "./events";
import {
  type InputEvent, type InputRecord, type KeyRecord, type PadRecord, type PadState, type PicturePosition, encodeInput, isOrdered, kInputMessageMax, recordSize,
} from "./input-record";

/** One way to the server. A send on a way that is not open is not made. */
export interface InputWay {
  readonly open: boolean;
  /** Bytes that wait to leave this machine. */
  readonly backlog: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
}

const kAliveInterval = 500;
/** Positions closer together than this are merged, so that an 8 kHz mouse stays far below the server's limit. */
const kMoveInterval = 1;
/** With more than this waiting, positions are not added: a newer one will do. */
const kBacklogMax = 16384;

/** Lives as long as one WebSocket session: its first record has sequence 1. */
export class InputSender {
  readonly #ways: { socket: InputWay; channel: InputWay | null };
  readonly #clock: Clock;
  readonly #start: number;
  readonly #aliveTimer: Timer;
  readonly #moveTimer: Timer;
  readonly #held = new Set<string>();
  #pending: { event: InputEvent; time: number; fixed: boolean }[] = [];
  #microtask = false;
  #sequence = 0;
  #lastOrdered = 0;
  #lastFlush = -Infinity;
  #stopped = false;

  readonly #numbered: ((record: InputRecord, at: number) => void) | undefined;

  /** `numbered` is told of each record, and of when it was made. */
  constructor(socket: InputWay, signal?: AbortSignal, clock: Clock = systemClock, numbered?: (record: InputRecord, at: number) => void) {
    this.#numbered = numbered;
    this.#ways = { socket, channel: null };
    this.#clock = clock;
    this.#start = clock.now();
    this.#aliveTimer = new Timer(clock, signal);
    this.#moveTimer = new Timer(clock, signal);
    this.#stopped = signal?.aborted ?? false;
    signal?.addEventListener("abort", () => (this.#stopped = true), { once: true });
  }

  /** The data channel of the newest media connection. */
  setChannel(channel: InputWay | null): void {
    this.#ways.channel = channel;
  }

  get anythingHeld(): boolean {
    return this.#held.size > 0;
  }

  key(key: KeyRecord): void {
    this.#hold(key.code ? `c${key.code}` : `s${key.keysym}`, key.down);
    this.#push({ type: "key", ...key });
  }

  /** `path`: keep this point even if a newer one follows in the same batch (a stroke that is being drawn). */
  pointer(position: PicturePosition, path = false): void {
    const last = this.#pending[this.#pending.length - 1];
    if (last?.event.type === "pointer" && !last.fixed)
      this.#pending.pop();
    this.#push({ type: "pointer", ...position }, path);
  }

  motion(dx: number, dy: number): void {
    const last = this.#pending[this.#pending.length - 1]?.event;
    if (last?.type === "motion" && Math.abs(last.dx + dx) < 0x7fff && Math.abs(last.dy + dy) < 0x7fff) {
      last.dx += dx;
      last.dy += dy;
    } else {
      this.#push({ type: "motion", dx, dy });
    }
  }

  button(button: number, down: boolean, position: PicturePosition | null): void {
    this.#hold(`b${button}`, down);
    this.#push({ type: "button", button, down, position });
  }

  scroll(dx: number, dy: number): void {
    const last = this.#pending[this.#pending.length - 1]?.event;
    if (last?.type === "scroll") {
      last.dx += dx;
      last.dy += dy;
    } else {
      this.#push({ type: "scroll", dx, dy });
    }
  }

  /** A gamepad is there from now on, or has gone. */
  pad(pad: PadRecord): void {
    this.#push({ type: "pad", ...pad });
  }

  /** `pressed`: buttons have changed, which must not be lost. */
  padState(state: PadState, pressed: boolean): void {
    this.#push({ type: pressed ? "padButtons" : "padAxes", ...state });
  }

  /** Everything that is held goes up: focus lost, page hidden. Sent at once, for the page may be frozen next. */
  release(): void {
    this.#held.clear();
    this.#aliveTimer.cancel();
    this.#push({ type: "release" });
    this.flush();
  }

  #hold(what: string, down: boolean): void {
    if (down)
      this.#held.add(what);
    else
      this.#held.delete(what);
    if (this.#held.size === 0)
      this.#aliveTimer.cancel();
    else if (!this.#aliveTimer.running)
      this.#scheduleAlive();
  }

  #scheduleAlive(): void {
    this.#aliveTimer.start(kAliveInterval, () => {
      this.#push({ type: "alive" });
      this.#scheduleAlive();
    });
  }

  #push(event: InputEvent, fixed = false): void {
    if (this.#stopped)
      return;
    this.#pending.push({ event, time: this.#clock.now(), fixed });
    const move = event.type === "pointer" || event.type === "motion";
    if (move && this.#clock.now() - this.#lastFlush < kMoveInterval) {
      if (!this.#moveTimer.running)
        this.#moveTimer.start(kMoveInterval, () => this.flush());
    } else if (!this.#microtask) {
      this.#microtask = true;
      queueMicrotask(() => this.flush());
    }
  }

  /** Sends what waits. Called by itself at the end of the task that made the records. */
  flush(): void {
    this.#microtask = false;
    this.#moveTimer.cancel();
    if (this.#stopped || this.#pending.length === 0)
      return;
    this.#lastFlush = this.#clock.now();
    const pending = this.#pending;
    this.#pending = [];
    let batch: InputRecord[] = [];
    let size = 0;
    for (const { event, time } of pending) {
      if (size + recordSize(event.type) > kInputMessageMax) {
        this.#send(batch);
        batch = [];
        size = 0;
      }
      size += recordSize(event.type);
      batch.push(this.#number(event, time));
    }
    this.#send(batch);
  }

  #number(event: InputEvent, time: number): InputRecord {
    const sequence = ++this.#sequence;
    const after = this.#lastOrdered;
    if (isOrdered(event.type))
      this.#lastOrdered = sequence;
    const record: InputRecord = { ...event, sequence, after, time: Math.round(time - this.#start) >>> 0 };
    this.#numbered?.(record, time);
    return record;
  }

  #send(records: readonly InputRecord[]): void {
    const bytes = encodeInput(records);
    const needed = records.some((record) => isOrdered(record.type));
    const { socket, channel } = this.#ways;
    // The channel first: it is the faster one. It may lose anything, so a full one is passed over;
    // the WebSocket must carry every ordered record.
    if (channel?.open && channel.backlog < kBacklogMax)
      channel.send(bytes);
    if (socket.open && (needed || socket.backlog < kBacklogMax))
      socket.send(bytes);
  }
}
