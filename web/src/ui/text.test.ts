// SPDX-License-Identifier: LGPL-2.1-or-later
// Looking texts up, and which catalogue is loaded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCatalogue, t } from "./text";

const catalogues: Record<string, object> = {
  "locales/de.json": { "Round trip": "Umlauf", "{n} ms": "{n} Millisekunden", "Empty": "" },
  "locales/pt_BR.json": {},
};
const asked: string[] = [];
Object.assign(globalThis, {
  document: { documentElement: { lang: "en" } },
  fetch: async (url: string) => {
    asked.push(url);
    return { ok: url in catalogues, json: async () => catalogues[url] };
  },
});

test("without a catalogue the text is itself, with its values", () => {
  assert.equal(t("{a} and {b}, {c}", { a: 1, b: "{a}" }), "1 and {a}, {c}");
  assert.equal(t("toString {constructor}"), "toString {constructor}");
});

test("English loads nothing, nor does a language without a catalogue", async () => {
  await loadCatalogue(["en-GB", "de"], ["de"]);
  await loadCatalogue(["fr"], ["de"]);
  assert.deepEqual(asked, []);
});

test("the first known language is loaded, by its short name if need be; what is not translated stays English", async () => {
  await loadCatalogue(["fr-CA", "de-AT", "en"], ["de"]);
  assert.deepEqual(asked, ["locales/de.json"]);
  assert.equal(document.documentElement.lang, "de");
  assert.deepEqual([t("Round trip"), t("{n} ms", { n: 3 }), t("Empty"), t("Codec")], ["Umlauf", "3 Millisekunden", "Empty", "Codec"]);
});
