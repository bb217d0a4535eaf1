// SPDX-License-Identifier: LGPL-2.1-or-later
// The files that the user sends: a few at a time, the others wait their turn.
import { Emitter, systemClock } from "./events";
import { FileUpload, type UploadFile, type UploadHost, type UploadState } from "./file-upload";

const kAtOnce = 2;
/** How far back the rate looks, in ms. */
const kRateSpan = 5000;

export interface Transfer {
  readonly file: UploadFile;
  readonly state: UploadState;
  /** Bytes that have arrived. */
  readonly sent: number;
  /** Bytes per second lately; 0 if nothing goes. */
  readonly rate: number;
}

class Sending implements Transfer {
  state: UploadState = { kind: "queued" };
  sent = 0;
  upload: FileUpload | null = null;
  running = false;
  readonly #points: { at: number; sent: number }[] = [];

  constructor(readonly file: UploadFile) {}

  get rate(): number {
    const first = this.#points[0], last = this.#points.at(-1);
    return first && last && last.at > first.at && this.state.kind === "sending" ? Math.max(0, (1000 * (last.sent - first.sent)) / (last.at - first.at)) : 0;
  }

  told(state: UploadState, now: number): void {
    this.state = state;
    if (state.kind === "sending" || state.kind === "waiting")
      this.sent = state.sent;
    if (state.kind !== "sending")
      this.#points.length = 0;
    else
      this.#points.push({ at: now, sent: state.sent });
    while (this.#points.length > 2 && now - (this.#points[1] as { at: number }).at > kRateSpan)
      this.#points.shift();
  }
}

export interface TransferEvents {
  /** Something about this one is different now. */
  change: Transfer;
  /** The list is another. */
  list: readonly Transfer[];
}

export class FileTransfers extends Emitter<TransferEvents> {
  /** Bytes that a file may have; 0: none are taken. */
  limit = 0;
  #all: Sending[] = [];

  constructor(private readonly base: string, private readonly host?: UploadHost) {
    super();
  }

  get all(): readonly Transfer[] {
    return this.#all;
  }

  /** Those that are not over. */
  get active(): readonly Transfer[] {
    return this.#all.filter(isActive);
  }

  /** How much of what is not over has arrived, 0…1. */
  get progress(): number {
    const active = this.active, size = active.reduce((sum, { file }) => sum + file.size, 0);
    return size ? active.reduce((sum, { sent }) => sum + sent, 0) / size : 0;
  }

  add(files: readonly UploadFile[]): void {
    for (const file of files) {
      const sending = new Sending(file);
      if (file.size > this.limit)
        sending.state = { kind: "refused", status: 413, why: "" };
      this.#all.push(sending);
    }
    this.emit("list", this.#all);
    this.#start();
  }

  cancel(transfer: Transfer): void {
    const sending = this.#find(transfer);
    if (!sending)
      return;
    if (sending.upload && sending.running)
      sending.upload.cancel();
    else
      this.dismiss(transfer);
  }

  /** After a refusal: once more, from where it was. */
  retry(transfer: Transfer): void {
    const sending = this.#find(transfer);
    if (!sending || sending.running || sending.state.kind !== "refused" || sending.file.size > this.limit)
      return;
    this.#tell(sending, { kind: "queued" });
    this.#start();
  }

  /** Takes it off the list; what had arrived of a refused one is removed. */
  dismiss(transfer: Transfer): void {
    const sending = this.#find(transfer);
    if (!sending || sending.running)
      return;
    if (sending.upload && sending.state.kind === "refused") {
      sending.upload.cancel();
      void sending.upload.run();
    }
    this.#all = this.#all.filter((other) => other !== sending);
    this.emit("list", this.#all);
  }

  nudge(): void {
    for (const { upload } of this.#all)
      upload?.nudge();
  }

  #find(transfer: Transfer): Sending | undefined {
    return this.#all.find((one) => one === transfer);
  }

  #tell(sending: Sending, state: UploadState): void {
    sending.told(state, (this.host?.clock ?? systemClock).now());
    this.emit("change", sending);
  }

  #start(): void {
    for (const sending of this.#all) {
      if (this.#all.filter(({ running }) => running).length >= kAtOnce)
        return;
      if (sending.running || sending.state.kind !== "queued")
        continue;
      sending.upload ??= new FileUpload(sending.file, this.base, (state) => this.#tell(sending, state), this.host);
      sending.running = true;
      void sending.upload.run().then(() => {
        sending.running = false;
        if (sending.state.kind === "given-up")
          this.dismiss(sending);
        this.#start();
      });
    }
  }
}

export function isActive({ state }: Transfer): boolean {
  return state.kind === "queued" || state.kind === "sending" || state.kind === "waiting";
}
