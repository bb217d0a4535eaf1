// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page knows of the viewer's keyboard layout, for the server to set the same (docs/protocol.md, section 5).
import { evdevCode } from "./key-tables";

export interface LayoutMessage {
  type: "desktop/keyboard";
  layout?: string;
  keys?: Record<string, string>;
  [member: string]: unknown;
}

/** Keys that print, by evdev code, from navigator.keyboard.getLayoutMap(); null where there are too few to tell layouts apart. */
export function layoutOfKeys(keys: Iterable<readonly [string, string]>): LayoutMessage | null {
  const known: Record<string, string> = {};
  for (const [code, text] of keys) {
    const number = evdevCode(code);
    if (number && [...text].length === 1)
      known[number] = text;
  }
  const kFewest = 20;
  return Object.keys(known).length >= kFewest ? { type: "desktop/keyboard", keys: known } : null;
}

/** Layouts to choose from, by the names of xkeyboard-config, with the language that names them for the user. */
export const kLayouts: Readonly<Record<string, string>> = {
  us: "en-US", gb: "en-GB", be: "nl-BE", br: "pt-BR", bg: "bg", ca: "fr-CA", ch: "de-CH", "ch(fr)": "fr-CH", cz: "cs", de: "de", dk: "da", ee: "et", es: "es",
  fi: "fi", fr: "fr", gr: "el", hr: "hr", hu: "hu", il: "he", is: "is", it: "it", jp: "ja", kr: "ko", latam: "es-419", lt: "lt", lv: "lv", nl: "nl",
  no: "nb", pl: "pl", pt: "pt-PT", ro: "ro", rs: "sr", ru: "ru", se: "sv", si: "sl", sk: "sk", tr: "tr", ua: "uk", "us(dvorak)": "en-US", "us(colemak)": "en-US",
};
