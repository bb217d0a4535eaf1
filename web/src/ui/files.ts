// SPDX-License-Identifier: LGPL-2.1-or-later
// The panel for files: what is being sent, and what the session offers.
import { type OfferedFile, fileAddress, parseFileList } from "../core/file-list";
import { type FileTransfers, type Transfer, isActive } from "../core/file-transfers";
import type { FilesOffer } from "../core/messages";
import { t } from "./text";

const kRefresh = 5000;

export interface FilesPanel {
  /** What this viewer may do. */
  allow(offer: FilesOffer): void;
  /** Opens the browser's own dialog. */
  choose(): void;
}

export interface FilesPage {
  /** Address of the page's folder, ending with a slash. */
  base: string;
  transfers: FileTransfers;
}

function size(bytes: number): string {
  if (bytes < 1024)
    return t("{n} bytes", { n: bytes });
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, t("{n} KiB")] : bytes < 1024 ** 3 ? [bytes / 1024 ** 2, t("{n} MiB")] : [bytes / 1024 ** 3, t("{n} GiB")];
  return unit.replace("{n}", value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: value < 10 ? 1 : 0 }));
}

function rest(seconds: number): string {
  if (seconds < 60)
    return t("{n} s left", { n: Math.max(1, Math.round(seconds)) });
  return seconds < 3600 ? t("{n} min left", { n: Math.round(seconds / 60) }) : t("{n} h left", { n: (seconds / 3600).toFixed(1) });
}

function whyRefused(status: number, why: string): string {
  switch (status) {
    case 0:
      return t("The file cannot be read any more.");
    case 401:
      return t("You are not signed in any more.");
    case 403:
      return t("The folder may not be written, or something is in the way.");
    case 404:
      return t("This session takes no files.");
    case 413:
      return t("The file is too large for this session.");
    case 503:
      return t("The folder for files is not there.");
    case 507:
      return t("There is no room for this file.");
    default:
      return why || t("The server refused.");
  }
}

function detail({ state, sent, rate, file }: Transfer): string {
  switch (state.kind) {
    case "queued":
      return t("{size}, waits its turn", { size: size(file.size) });
    case "sending": {
      const parts = [t("{sent} of {size}", { sent: size(sent), size: size(file.size) })];
      if (rate > 0)
        parts.push(t("{size}/s", { size: size(rate) }), rest((file.size - sent) / rate));
      return parts.join(", ");
    }
    case "waiting":
      return t("{sent} of {size}, waits for the connection", { sent: size(sent), size: size(file.size) });
    case "done":
      return state.name === file.name ? t("{size}, arrived", { size: size(file.size) }) : t("{size}, arrived as {name}", { size: size(file.size), name: state.name });
    case "refused":
      return whyRefused(state.status, state.why);
    case "given-up":
      return "";
  }
}

const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className = "", text = ""): HTMLElementTagNameMap[K] => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
};

function button(className: string, text: string, press: () => void): HTMLButtonElement {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

/** One line of the list of what is sent. */
class Row {
  readonly item = make("li");
  readonly #bar = make("progress");
  readonly #detail = make("span", "detail");
  readonly #cancel: HTMLButtonElement;
  readonly #retry: HTMLButtonElement;
  readonly #dismiss: HTMLButtonElement;

  constructor(readonly transfer: Transfer, transfers: FileTransfers) {
    const { name } = transfer.file;
    const named = (made: HTMLButtonElement, label: string) => {
      made.setAttribute("aria-label", label);
      return made;
    };
    this.#cancel = named(button("cancel", t("Cancel"), () => transfers.cancel(transfer)), t("Cancel {name}", { name }));
    this.#retry = named(button("retry", t("Try again"), () => transfers.retry(transfer)), t("Try {name} again", { name }));
    this.#dismiss = named(button("dismiss", "×", () => transfers.dismiss(transfer)), t("Take {name} off the list", { name }));
    const title = make("span", "name", name);
    title.title = name;
    this.#bar.max = Math.max(1, transfer.file.size);
    this.#bar.setAttribute("aria-label", name);
    const buttons = make("span", "buttons");
    buttons.append(this.#cancel, this.#retry, this.#dismiss);
    this.item.append(title, buttons, this.#bar, this.#detail);
    this.show(0);
  }

  show(limit: number): void {
    const { state, sent, file } = this.transfer, active = isActive(this.transfer);
    this.item.dataset["state"] = state.kind;
    this.#bar.hidden = !active;
    this.#bar.value = sent;
    this.#detail.textContent = detail(this.transfer);
    this.#cancel.hidden = !active;
    this.#retry.hidden = state.kind !== "refused" || file.size > limit;
    this.#dismiss.hidden = active;
  }
}

/** What is sent: a button to choose files, and a line for each. */
function fillSending(part: HTMLElement, transfers: FileTransfers): () => void {
  const field = make("input"), list = make("ul", "files"), said = make("p", "detail"), hint = make("p", "detail");
  field.type = "file";
  field.multiple = true;
  field.hidden = true;
  said.setAttribute("role", "status");
  const choose = () => field.click();
  field.addEventListener("change", () => {
    transfers.add([...(field.files ?? [])]);
    // The same file may be chosen again.
    field.value = "";
  });
  const send = button("", t("Send files…"), choose);
  send.id = "files-send";
  part.append(field, send, hint, list, said);
  const rows = new Map<Transfer, Row>();
  transfers.on("list", (all) => {
    const most = { size: size(transfers.limit) };
    // Nothing is dropped with a finger.
    hint.textContent = matchMedia("(any-pointer: fine)").matches ? t("Or drop them on the page: up to {size} each.", most) : t("Up to {size} each.", most);
    for (const [transfer, row] of rows)
      if (!all.includes(transfer)) {
        // Who pressed its button goes on from the next one.
        if (row.item.contains(document.activeElement))
          send.focus();
        row.item.remove();
        rows.delete(transfer);
      }
    for (const transfer of all)
      if (!rows.has(transfer)) {
        const row = new Row(transfer, transfers);
        rows.set(transfer, row);
        row.show(transfers.limit);
        list.append(row.item);
      }
  });
  transfers.on("change", (transfer) => {
    rows.get(transfer)?.show(transfers.limit);
    if (transfer.state.kind === "done" || transfer.state.kind === "refused")
      said.textContent = `${transfer.file.name}: ${detail(transfer)}`;
  });
  return choose;
}

/** What is offered: a link for each file. */
class Offers {
  readonly #list = make("ul", "files");
  readonly #note = make("p", "detail");
  #shown = "";
  #asking = false;

  constructor(part: HTMLElement, private readonly base: string) {
    this.#note.setAttribute("role", "status");
    const title = make("h2", "", t("Files of the session"));
    part.append(title, this.#note, this.#list);
  }

  async refresh(): Promise<void> {
    if (this.#asking)
      return;
    this.#asking = true;
    try {
      const answer = await fetch(`${this.base}files/`, { cache: "no-store", signal: AbortSignal.timeout(20_000) });
      const files = answer.ok ? parseFileList(await answer.json()) : null;
      if (files)
        this.#show(files);
      else
        this.#tell(answer.status === 503 ? t("The folder for files is not there.") : whyRefused(answer.status, ""));
    } catch {
      this.#tell(t("The server cannot be reached."));
    } finally {
      this.#asking = false;
    }
  }

  #tell(text: string): void {
    this.#note.textContent = text;
    this.#list.replaceChildren();
    this.#shown = "";
  }

  #show(files: OfferedFile[]): void {
    this.#note.textContent = files.length ? "" : t("There is nothing here yet.");
    // Links that somebody is about to use stay.
    const now = JSON.stringify(files);
    if (now === this.#shown)
      return;
    this.#shown = now;
    const focused = this.#list.contains(document.activeElement) ? document.activeElement?.textContent : null;
    this.#list.replaceChildren(...files.map((file) => {
      const item = make("li"), link = make("a", "name", file.name);
      link.href = fileAddress(this.base, file.name);
      link.download = file.name;
      link.title = file.name;
      const when = file.modified.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
      item.append(link, make("span", "detail", `${size(file.size)}, ${when}`));
      if (file.name === focused)
        queueMicrotask(() => link.focus());
      return item;
    }));
  }
}

export function fillFilesPanel(section: HTMLElement, page: FilesPage, signal: AbortSignal): FilesPanel {
  const sending = make("div"), offered = make("div");
  section.append(sending, offered);
  const choose = fillSending(sending, page.transfers);
  const offers = new Offers(offered, page.base);
  let download = false;
  const refresh = () => {
    if (download && !section.hidden && document.visibilityState === "visible")
      void offers.refresh();
  };
  const timer = setInterval(refresh, kRefresh);
  signal.addEventListener("abort", () => clearInterval(timer));
  new MutationObserver(refresh).observe(section, { attributes: true, attributeFilter: ["hidden"] });
  return {
    allow(offer) {
      page.transfers.limit = offer.upload;
      page.transfers.add([]);
      download = offer.download;
      sending.hidden = offer.upload === 0;
      offered.hidden = !download;
      refresh();
    },
    choose,
  };
}
