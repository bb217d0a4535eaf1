// SPDX-License-Identifier: LGPL-2.1-or-later
// Files on the page: the button with its panel, dropping, and going on after a lost connection.
import { addressOf } from "../core/address";
import { FileTransfers } from "../core/file-transfers";
import type { Session } from "../core/session";
import { attachDrop } from "./drop";
import { fillFilesPanel } from "./files";
import { t } from "./text";

export interface FilesParts {
  session: Session;
  toggle: HTMLElement;
  section: HTMLElement;
  overlay: HTMLElement;
  /** Shows the panel in place of others. */
  open: () => void;
  notice: (level: "info" | "warning", text: string) => void;
}

export function attachFiles({ session, toggle, section, overlay, open, notice }: FilesParts, signal: AbortSignal): void {
  const base = addressOf(".", document.baseURI);
  const transfers = new FileTransfers(base);
  const panel = fillFilesPanel(section, { base, transfers }, signal);
  (overlay.querySelector("p") as HTMLElement).textContent = t("Drop to send to the desktop");

  const name = () => {
    const { active } = transfers;
    toggle.textContent = active.length ? t("Files {percent} %", { percent: Math.floor(100 * transfers.progress) }) : t("Files");
  };
  transfers.on("change", name, signal);
  transfers.on("list", name, signal);
  transfers.on("change", ({ file, state }) => {
    // With the panel open it shows there.
    if (!section.hidden)
      return;
    if (state.kind === "done")
      notice("info", t("{name} has arrived.", { name: state.name }));
    else if (state.kind === "refused")
      notice("warning", t("{name} was not sent.", { name: file.name }));
  }, signal);

  attachDrop({
    overlay,
    open: () => transfers.limit > 0,
    dropped(files, folders) {
      if (folders)
        notice("warning", t("Folders cannot be sent: open them and drop the files in them."));
      if (files.length === 0)
        return;
      transfers.add(files);
      open();
    },
  }, signal);

  session.on("welcome", ({ files }) => {
    toggle.hidden = files.upload === 0 && !files.download;
    if (toggle.hidden)
      section.hidden = true;
    panel.allow(files);
    // There is a server again: on at once.
    transfers.nudge();
  }, signal);
  window.addEventListener("beforeunload", (event) => {
    if (transfers.active.length)
      event.preventDefault();
  }, { signal });
}
