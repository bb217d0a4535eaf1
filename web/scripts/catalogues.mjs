// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads po/*.po for the page: by language, as browsers write it (zh-CN), the texts that stand in web/src.
import { readFileSync } from "node:fs";
import path from "node:path";

/** The languages that po/LINGUAS names, each with its texts by English text. */
export function catalogues(folder) {
  const names = readFileSync(path.join(folder, "LINGUAS"), "utf8").split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  return new Map(names.map((name) => [name.replace("_", "-"), texts(readFileSync(path.join(folder, `${name}.po`), "utf8"))]));
}

/** The translated messages of a PO file that refer to web/src; fuzzy ones are left out. */
export function texts(po) {
  const found = {};
  for (const block of po.split(/\n\n+/)) {
    const lines = block.split("\n");
    if (!lines.some((line) => line.startsWith("#:") && line.includes("web/src/")) || lines.some((line) => line.startsWith("#,") && line.includes("fuzzy")))
      continue;
    const field = (name) => {
      const at = lines.findIndex((line) => line.startsWith(`${name} "`));
      let text = "";
      for (let i = at; i >= 0 && i < lines.length; i++) {
        const line = i === at ? lines[i].slice(name.length + 1) : lines[i];
        if (!line.startsWith('"'))
          break;
        // Escapes of PO files are those of JSON, for what our texts hold.
        text += JSON.parse(line);
      }
      return text;
    };
    if (field("msgstr"))
      found[field("msgid")] = field("msgstr");
  }
  return found;
}
