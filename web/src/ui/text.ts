// SPDX-License-Identifier: LGPL-2.1-or-later
// Translated texts: the English text is the key.

let catalogue: Readonly<Record<string, string>> = {};

/** The text in the user's language, with {names} replaced. */
export function t(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  const found = Object.prototype.hasOwnProperty.call(catalogue, text) ? catalogue[text] : undefined;
  return (found || text).replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.prototype.hasOwnProperty.call(values, name) ? String(values[name]) : whole);
}

/** Names to look for, best first: "de-AT" is served by "de"; simplified Chinese goes by several names. */
function namesOf(language: string): string[] {
  return /^zh(-(Hans|SG)\b.*)?$/.test(language) ? [language, "zh-CN"] : [language, language.split("-")[0] ?? ""];
}

/** Loads the first of the user's languages for which there is a catalogue; English needs none. `available` has their addresses. */
export async function loadCatalogue(languages: readonly string[], available: Readonly<Record<string, string>>): Promise<void> {
  for (const language of languages) {
    if (/^en\b/.test(language))
      return;
    const name = namesOf(language).find((one) => Object.prototype.hasOwnProperty.call(available, one));
    const answer = name && await fetch(available[name] ?? "");
    if (!name || !answer || !answer.ok)
      continue;
    catalogue = (await answer.json()) as Record<string, string>;
    document.documentElement.lang = name;
    return;
  }
}
