// SPDX-License-Identifier: LGPL-2.1-or-later
// Looking texts up, and which catalogue is loaded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCatalogue, t } from "./text";

const catalogues: Record<string, object> = {
  "locales/de.json": { "Round trip": "Umlauf", "{n} ms": "{n} Millisekunden", "Empty": "" },
  "locales/zh.json": { "Codec": "编解码器" },
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
  await loadCatalogue(["en-GB", "de"], { de: "locales/de.json" });
  await loadCatalogue(["fr"], { de: "locales/de.json" });
  assert.deepEqual(asked, []);
});

test("the first known language is loaded, by its short name if need be; what is not translated stays English", async () => {
  await loadCatalogue(["fr-CA", "de-AT", "en"], { de: "locales/de.json" });
  assert.deepEqual(asked, ["locales/de.json"]);
  assert.equal(document.documentElement.lang, "de");
  assert.deepEqual([t("Round trip"), t("{n} ms", { n: 3 }), t("Empty"), t("Codec")], ["Umlauf", "3 Millisekunden", "Empty", "Codec"]);
});

test("simplified Chinese goes by several names, traditional Chinese is another language", async () => {
  for (const language of ["zh-CN", "zh", "zh-Hans-CN", "zh-SG"]) {
    await loadCatalogue([language], { "zh-CN": "locales/zh.json" });
    assert.equal(document.documentElement.lang, "zh-CN");
    document.documentElement.lang = "";
  }
  for (const language of ["zh-TW", "zh-Hant", "zhx"])
    await loadCatalogue([language], { "zh-CN": "locales/zh.json" });
  assert.equal(document.documentElement.lang, "");
});

test("a catalogue that is gone leaves English", async () => {
  await loadCatalogue(["nl"], { nl: "locales/gone.json" });
  assert.equal(document.documentElement.lang, "");
});
