// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends a file in pieces, and after a disconnect goes on where it was: docs/protocol.md, "Files".

/** As the server takes it; one request brings at most that much. */
export const pieceBytes = 8 << 20;

const firstPauseMs = 500;
const longestPauseMs = 10_000;

export interface UploadHost {
  fetch(url: string, init: RequestInit): Promise<Response>;
  sleep(ms: number): Promise<void>;
  randomBytes(count: number): Uint8Array;
}

export type UploadState =
  | { kind: 'sending'; sent: number; size: number }
  | { kind: 'waiting'; sent: number; size: number }
  | { kind: 'done'; name: string }
  | { kind: 'refused'; why: string }
  | { kind: 'given-up' };

const browserHost: UploadHost = {
  fetch: (url, init) => fetch(url, init),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};

/** One file on its way. `run()` never rejects: the last state says how it ended. */
export class FileUpload {
  readonly #id: string;
  readonly #abort = new AbortController();
  #sent = 0;

  constructor(
    readonly file: Blob & { name: string },
    private readonly base: string,
    private readonly told: (state: UploadState) => void,
    private readonly host: UploadHost = browserHost,
  ) {
    this.#id = Array.from(host.randomBytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Ends it and removes what has arrived. */
  cancel(): void {
    this.#abort.abort();
  }

  async run(): Promise<void> {
    let pauseMs = firstPauseMs;
    for (;;) {
      if (this.#abort.signal.aborted) {
        await this.#discard();
        this.told({ kind: 'given-up' });
        return;
      }
      let answer: Response;
      try {
        this.told({ kind: 'sending', sent: this.#sent, size: this.file.size });
        answer = await this.#sendPiece();
      } catch {
        if (this.#abort.signal.aborted) continue;
        this.told({ kind: 'waiting', sent: this.#sent, size: this.file.size });
        await this.host.sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
        await this.#findOut();
        continue;
      }
      const offset = Number(answer.headers.get('Upload-Offset') ?? NaN);
      if (answer.status === 201) {
        const { name } = (await answer.json()) as { name: string };
        this.told({ kind: 'done', name });
        return;
      }
      if ((answer.ok || answer.status === 409) && Number.isSafeInteger(offset) && offset >= 0 && offset <= this.file.size) {
        if (offset > this.#sent) pauseMs = firstPauseMs;
        this.#sent = offset;
        continue;
      }
      // 429 and 503 may pass; the rest is the server's last word.
      if (answer.status === 429 || answer.status === 503) {
        this.told({ kind: 'waiting', sent: this.#sent, size: this.file.size });
        await this.host.sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
        continue;
      }
      this.told({ kind: 'refused', why: (await answer.text()).trim() || `${answer.status}` });
      return;
    }
  }

  get #url(): string {
    return `${this.base}files/upload/${this.#id}`;
  }

  #sendPiece(): Promise<Response> {
    const query = new URLSearchParams({ name: this.file.name, size: `${this.file.size}`, offset: `${this.#sent}` });
    return this.host.fetch(`${this.#url}?${query}`, {
      method: 'PUT',
      body: this.file.slice(this.#sent, this.#sent + pieceBytes),
      headers: { 'Content-Type': 'application/octet-stream' },
      signal: this.#abort.signal,
    });
  }

  /** How much had arrived when the connection broke. */
  async #findOut(): Promise<void> {
    try {
      const answer = await this.host.fetch(this.#url, { method: 'HEAD', signal: this.#abort.signal });
      const offset = Number(answer.headers.get('Upload-Offset') ?? NaN);
      if (answer.ok && Number.isSafeInteger(offset) && offset >= 0 && offset <= this.file.size) this.#sent = offset;
    } catch {
      // Still away: the next piece will tell.
    }
  }

  async #discard(): Promise<void> {
    try {
      await this.host.fetch(this.#url, { method: 'DELETE' });
    } catch {
      // The server forgets it by itself.
    }
  }
}
