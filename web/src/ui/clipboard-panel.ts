// SPDX-License-Identifier: LGPL-2.1-or-later
// The panel for the clipboard: what was copied last, and ways for browsers that keep their clipboard from the page.
import type { ClipboardContent } from "../core/clipboard";
import type { Clipboard } from "./clipboard";
import { t } from "./text";

/** A text this long is not put into the field: browsers get slow. */
const kShownMost = 100000;

export interface ClipboardPanel {
  show(content: ClipboardContent): void;
  /** `ways` as in desktop/state. */
  allow(ways: "off" | "in" | "out" | "both"): void;
}

export function fillClipboardPanel(section: HTMLElement, clipboard: () => Clipboard, done: () => void): ClipboardPanel {
  const field = document.createElement("textarea"), picture = document.createElement("img"), note = document.createElement("p");
  field.rows = 6;
  field.id = "clipboard-text";
  field.setAttribute("aria-label", t("Clipboard"));
  field.placeholder = t("What is copied on the desktop shows here. Text that you write or paste here can be sent there.");
  picture.alt = t("Copied picture");
  picture.hidden = true;
  note.setAttribute("role", "status");
  const line = document.createElement("div");
  const button = (id: string, text: string, press: () => void) => {
    const made = document.createElement("button");
    made.type = "button";
    made.id = id;
    made.textContent = text;
    made.addEventListener("click", press);
    line.append(made);
    return made;
  };
  const tell = (text: string) => {
    note.textContent = text;
  };
  const send = button("clipboard-send", t("Send to the desktop"), () => {
    void clipboard().offerText(field.value).then((arrived) => {
      tell(arrived ? t("The desktop has it.") : t("It did not arrive."));
      done();
    });
  });
  const fetch = button("clipboard-fetch", t("Take from the desktop"), () => clipboard().link.request());
  const allow = button("clipboard-allow", t("Share by itself"), () => {
    void clipboard().ask().then((allowed) => {
      allow.hidden = allowed;
      tell(allowed ? t("The clipboard is shared whenever this page has the focus.") : t("The browser does not allow it; the paste key works all the same."));
    });
  });
  allow.title = t("Lets this page read the clipboard of this computer, if the browser allows it.");
  section.append(field, picture, line, note);
  // In a place for typing the desktop's shortcuts mean nothing.
  for (const type of ["keydown", "keyup"] as const)
    field.addEventListener(type, (event) => event.stopPropagation());
  let shown = "";
  return {
    show(content) {
      const text = content.find(({ type }) => type === "text/plain"), image = content.find(({ type }) => type === "image/png");
      field.value = text ? new TextDecoder().decode(text.bytes.subarray(0, kShownMost)) : "";
      if (shown)
        URL.revokeObjectURL(shown);
      shown = image ? URL.createObjectURL(new Blob([image.bytes], { type: "image/png" })) : "";
      picture.hidden = !shown;
      if (shown)
        picture.src = shown;
      else
        picture.removeAttribute("src");
      const kib = (bytes: number) => t("{n} KiB", { n: Math.max(1, Math.round(bytes / 1024)) });
      tell(content.map(({ type, bytes }) => `${type}, ${kib(bytes.length)}`).join("; "));
    },
    allow(ways) {
      send.hidden = ways === "off" || ways === "out";
      fetch.hidden = ways === "off" || ways === "in";
      allow.hidden = send.hidden || clipboard().mayRead || !navigator.clipboard?.read || navigator.userAgent.includes("Firefox/");
    },
  };
}
