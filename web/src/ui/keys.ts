// SPDX-License-Identifier: LGPL-2.1-or-later
// The panel with keys that browsers keep for themselves or that a touch keyboard has not, and with what keys mean.
import type { KeyMeaning } from "../core/input-record";
import type { Keyboard } from "../core/keyboard";
import { kLayouts } from "../core/layout-hint";
import { type Controls } from "./controls";
import { t } from "./text";

export interface KeysOptions {
  /** Gives the focus back to the desktop. */
  done: () => void;
  /** The layout that the user chose, "" for the one of the viewer's keyboard. */
  chooseLayout: (layout: string) => void;
  mac: boolean;
}

type KeyName = readonly [code: string, key: string];
const kModifierKeys: Readonly<Record<string, KeyName>> = {
  Ctrl: ["ControlLeft", "Control"], Alt: ["AltLeft", "Alt"], Shift: ["ShiftLeft", "Shift"], Super: ["MetaLeft", "Meta"],
};
const kKeys: Readonly<Record<string, KeyName>> = {
  Esc: ["Escape", "Escape"], Tab: ["Tab", "Tab"], Del: ["Delete", "Delete"], Print: ["PrintScreen", "PrintScreen"],
  F4: ["F4", "F4"], F11: ["F11", "F11"], W: ["KeyW", "w"], T: ["KeyT", "t"], N: ["KeyN", "n"], "←": ["ArrowLeft", "ArrowLeft"],
  "↑": ["ArrowUp", "ArrowUp"], "↓": ["ArrowDown", "ArrowDown"], "→": ["ArrowRight", "ArrowRight"],
};
const kCombinations = ["Ctrl+Alt+Del", "Alt+Tab", "Alt+F4", "Ctrl+W", "Ctrl+T", "Ctrl+N", "Esc", "Tab", "Print", "F11", "←", "↑", "↓", "→"];

function store(name: string, value: string): void {
  try {
    localStorage.setItem(`vitrine-${name}`, value);
  } catch {
    // Not kept then.
  }
}
function stored(name: string): string {
  try {
    return localStorage.getItem(`vitrine-${name}`) ?? "";
  } catch {
    return "";
  }
}

/** Presses modifiers, taps the last key, lets go. */
export function pressCombination(keyboard: Keyboard, combination: string): void {
  for (const name of combination.split("+")) {
    const modifier = kModifierKeys[name], key = kKeys[name];
    if (modifier)
      keyboard.hold(...modifier, true);
    else if (key)
      keyboard.tap(...key);
  }
}

function button(text: string, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

/** A labelled choice, remembered; `changed` is called now too. */
function choice(name: string, label: string, values: readonly (readonly [string, string])[], changed: (value: string) => void): HTMLElement {
  const line = document.createElement("label"), list = document.createElement("select");
  line.textContent = label;
  list.append(...values.map(([value, text]) => new Option(text, value)));
  const last = stored(name);
  list.value = values.some(([value]) => value === last) ? last : "";
  list.addEventListener("change", () => {
    store(name, list.value);
    changed(list.value);
  });
  changed(list.value);
  line.append(list);
  return line;
}

function layoutNames(): (readonly [string, string])[] {
  const names = new Intl.DisplayNames(navigator.languages.slice(), { type: "language" });
  return Object.entries(kLayouts).map(([layout, language]) => {
    const variant = /\((?:dvorak|colemak)\)/.exec(layout)?.[0] ?? "";
    return [layout, `${names.of(language) ?? layout} ${variant}`.trim()] as const;
  }).sort(([, a], [, b]) => a.localeCompare(b));
}

export function fillKeys(panel: HTMLElement, controls: Controls, options: KeysOptions): void {
  const { keyboard } = controls;
  const modifiers = document.createElement("div"), keys = document.createElement("div"), settings = document.createElement("div");
  const toggles = Object.entries(kModifierKeys).map(([name, key]) => {
    const toggle = button(name, () => {
      const down = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", String(down));
      keyboard.hold(...key, down);
      options.done();
    });
    toggle.setAttribute("aria-pressed", "false");
    toggle.title = t("Stays down until the next key");
    return toggle;
  });
  keyboard.onModifiersUsed = () => toggles.forEach((toggle) => toggle.setAttribute("aria-pressed", "false"));
  modifiers.append(...toggles, button(t("Touch keyboard"), controls.toggleKeyboard));
  keys.append(...kCombinations.map((combination) => button(combination, () => {
    pressCombination(keyboard, combination);
    options.done();
  })));
  settings.append(
    choice("keys", t("Keys mean"), [["", t("Automatic")], ["text", t("What they print")], ["position", t("Where they are (games)")]],
      (value) => controls.setMeaning((value || undefined) as KeyMeaning | undefined)),
    choice("layout", t("Keyboard layout"), [["", t("As on this computer")], ...layoutNames()], options.chooseLayout),
  );
  if (options.mac)
    settings.append(choice("command", t("⌘ is"), [["", "Super"], ["control", "Ctrl"]], (value) => {
      keyboard.commandIsControl = value === "control";
    }));
  panel.append(modifiers, keys, settings);
}
