// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends a file in pieces, and after a disconnect goes on where it was (docs/protocol.md, "Files").
import { type Clock, Timer, systemClock } from "./events";

/** As the server takes it; one request brings at most that much. */
export const kMostPiece = 8 << 20;
const kFirstPiece = 1 << 20;
const kLeastPiece = 256 << 10;
/** A piece should take about this long: short enough to show progress, long enough to fill the line. */
const kShortPiece = 1000;
const kLongPiece = 4000;
/** Without an answer for this long a piece is sent anew. */
const kPatience = 30_000;
/** A request this old did not survive the loss of the session. */
const kYoung = 3000;
const kFirstPause = 500;
const kLongestPause = 10_000;

export interface UploadHost {
  fetch(url: string, init: RequestInit): Promise<Response>;
  randomBytes(count: number): Uint8Array;
  clock: Clock;
}

export type UploadState =
  | { kind: "queued" }
  | { kind: "sending"; sent: number }
  /** The server cannot be reached, or asks to wait. It goes on by itself. */
  | { kind: "waiting"; sent: number }
  | { kind: "done"; name: string }
  /** `status` of HTTP; 0: the file cannot be read. */
  | { kind: "refused"; status: number; why: string }
  | { kind: "given-up" };

export type UploadFile = Pick<File, "name" | "size" | "slice">;

const browserHost: UploadHost = {
  fetch: (url, init) => fetch(url, init),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  clock: systemClock,
};

/** One file on its way. `run()` never rejects: the last state says how it ended. After a refusal it may be run again. */
export class FileUpload {
  readonly #id: string;
  readonly #timer: Timer;
  readonly #pause: Timer;
  #attempt: AbortController | null = null;
  #attemptAt = 0;
  #wake: (() => void) | null = null;
  #cancelled = false;
  #ran = false;
  #sent = 0;
  #piece = kFirstPiece;
  #mostPiece = kMostPiece;

  constructor(
    readonly file: UploadFile,
    private readonly base: string,
    private readonly told: (state: UploadState) => void,
    private readonly host: UploadHost = browserHost,
  ) {
    this.#id = Array.from(host.randomBytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#timer = new Timer(host.clock);
    this.#pause = new Timer(host.clock);
  }

  /** Ends it and removes what has arrived. */
  cancel(): void {
    this.#cancelled = true;
    this.#attempt?.abort();
    this.#wake?.();
  }

  /** The server is back: no need to wait any longer, nor for what was sent before. */
  nudge(): void {
    if (this.#attempt && this.host.clock.now() - this.#attemptAt > kYoung)
      this.#attempt.abort();
    this.#wake?.();
  }

  async run(): Promise<void> {
    let pause = kFirstPause;
    const wait = async (least = 0) => {
      this.told({ kind: "waiting", sent: this.#sent });
      await this.#sleep(Math.max(least, pause));
      pause = Math.min(pause * 2, kLongestPause);
    };
    if (this.#ran)
      await this.#findOut();
    this.#ran = true;
    while (!this.#cancelled) {
      this.told({ kind: "sending", sent: this.#sent });
      const size = Math.min(this.#piece, this.file.size - this.#sent), began = this.host.clock.now();
      let answer: Response;
      try {
        answer = await this.#sendPiece(size);
      } catch {
        if (this.#cancelled)
          break;
        if (!(await this.#readable())) {
          this.told({ kind: "refused", status: 0, why: "the file cannot be read any more" });
          return;
        }
        this.#piece = Math.max(kLeastPiece, this.#piece >> 1);
        await wait();
        await this.#findOut();
        continue;
      }
      if (answer.status === 201) {
        const { name } = (await answer.json().catch(() => ({}))) as { name?: unknown };
        this.told({ kind: "done", name: typeof name === "string" ? name : this.file.name });
        return;
      }
      const offset = this.#offsetIn(answer);
      if ((answer.ok || answer.status === 409) && offset !== null) {
        if (offset > this.#sent)
          pause = kFirstPause;
        else if (offset === this.#sent)
          await wait();
        this.#sent = offset;
        this.#adapt(size, this.host.clock.now() - began);
        continue;
      }
      // Somebody in between has a limit of his own, or cannot reach the server just now.
      const ours = answer.headers.has("Vitrine-Refusal");
      if (answer.status === 413 && !ours && this.#piece > kLeastPiece) {
        this.#mostPiece = this.#piece = this.#piece >> 1;
        continue;
      }
      if (answer.status === 429 || (answer.status >= 500 && !ours)) {
        await wait(1000 * (Number(answer.headers.get("Retry-After")) || 0));
        continue;
      }
      this.told({ kind: "refused", status: answer.status, why: (await answer.text().catch(() => "")).trim().slice(0, 300) });
      return;
    }
    await this.#discard();
    this.told({ kind: "given-up" });
  }

  get #url(): string {
    return `${this.base}files/upload/${this.#id}`;
  }

  #offsetIn(answer: Response): number | null {
    const text = answer.headers.get("Upload-Offset") ?? "", offset = Number(text);
    return text !== "" && Number.isSafeInteger(offset) && offset >= 0 && offset <= this.file.size ? offset : null;
  }

  #adapt(size: number, took: number): void {
    if (took > kLongPiece)
      this.#piece = Math.max(kLeastPiece, this.#piece >> 1);
    else if (took < kShortPiece && size === this.#piece)
      this.#piece = Math.min(this.#mostPiece, this.#piece * 2);
  }

  async #request(url: string, init: RequestInit): Promise<Response> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#attemptAt = this.host.clock.now();
    this.#timer.start(kPatience, () => attempt.abort());
    try {
      return await this.host.fetch(url, { ...init, signal: attempt.signal, cache: "no-store", redirect: "error" });
    } finally {
      this.#timer.cancel();
      this.#attempt = null;
    }
  }

  #sendPiece(size: number): Promise<Response> {
    const query = new URLSearchParams({ name: this.file.name, size: `${this.file.size}`, offset: `${this.#sent}` });
    return this.#request(`${this.#url}?${query}`, {
      method: "PUT",
      body: this.file.slice(this.#sent, this.#sent + size),
      headers: { "Content-Type": "application/octet-stream" },
    });
  }

  /** How much had arrived when the connection broke. */
  async #findOut(): Promise<void> {
    try {
      const answer = await this.#request(this.#url, { method: "HEAD" });
      this.#sent = (answer.ok ? this.#offsetIn(answer) : null) ?? this.#sent;
    } catch {
      // Still away: the next piece will tell.
    }
  }

  /** A file that was removed or changed fails like a connection that broke. */
  async #readable(): Promise<boolean> {
    try {
      await this.file.slice(this.#sent, Math.min(this.#sent + 1, this.file.size)).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#pause.cancel();
        this.#wake = null;
        resolve();
      };
      this.#wake = end;
      this.#pause.start(ms, end);
      if (this.#cancelled)
        end();
    });
  }

  async #discard(): Promise<void> {
    try {
      await this.#request(this.#url, { method: "DELETE" });
    } catch {
      // The server forgets it by itself.
    }
  }
}
