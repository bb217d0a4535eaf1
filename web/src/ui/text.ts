// SPDX-License-Identifier: LGPL-2.1-or-later
// Translated texts: the English text is the key.

let catalogue: Readonly<Record<string, string>> = {};

/** The text in the user's language, with {names} replaced. */
export function t(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  const found = Object.prototype.hasOwnProperty.call(catalogue, text) ? catalogue[text] : undefined;
  return (found || text).replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.prototype.hasOwnProperty.call(values, name) ? String(values[name]) : whole);
}

/** Loads the first of the user's languages for which there is a catalogue; English needs none. */
export async function loadCatalogue(languages: readonly string[], available: readonly string[]): Promise<void> {
  for (const language of languages) {
    const short = language.split("-")[0] ?? "";
    if (short === "en")
      return;
    const name = available.find((one) => one === language) ?? available.find((one) => one === short);
    if (!name)
      continue;
    const answer = await fetch(`locales/${name}.json`);
    if (!answer.ok)
      continue;
    catalogue = (await answer.json()) as Record<string, string>;
    document.documentElement.lang = name;
    return;
  }
}
