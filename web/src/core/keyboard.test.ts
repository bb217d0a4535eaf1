// SPDX-License-Identifier: LGPL-2.1-or-later
// Key tables, modifiers, and what each system's browsers forget to say.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyRecord } from "./input-record";
import { evdevCode, keysym } from "./key-tables";
import { Keyboard, type KeyLike, type Platform, platformOf } from "./keyboard";
import { FakeClock } from "./testing";

function event(code: string, key: string, more: { location?: number; repeat?: boolean; on?: string[] } = {}): KeyLike {
  return {
    code, key, location: more.location ?? 0, repeat: more.repeat ?? false,
    getModifierState: (name) => (more.on ?? []).includes(name),
  };
}

function setup(platform: Platform = "other") {
  const sent: KeyRecord[] = [], clock = new FakeClock();
  const keyboard = new Keyboard((key) => sent.push(key), platform, clock);
  return { keyboard, sent, clock, brief: () => sent.map((r) => `${r.code}${r.repeat ? "*" : r.down ? "+" : "-"}`) };
}

test("every key of a 105-key board has its evdev code, no two the same", () => {
  const board = `Escape F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 PrintScreen ScrollLock Pause
    Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace
    Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Backslash
    CapsLock KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Enter
    ShiftLeft IntlBackslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight
    ControlLeft MetaLeft AltLeft Space AltRight MetaRight ContextMenu ControlRight
    Insert Home PageUp Delete End PageDown ArrowUp ArrowLeft ArrowDown ArrowRight
    NumLock NumpadDivide NumpadMultiply NumpadSubtract NumpadAdd NumpadEnter NumpadDecimal
    Numpad0 Numpad1 Numpad2 Numpad3 Numpad4 Numpad5 Numpad6 Numpad7 Numpad8 Numpad9`.trim().split(/\s+/);
  assert.equal(board.length, 105);
  const codes = board.map(evdevCode);
  assert.ok(codes.every((code) => code > 0 && code < 248), "X has key codes up to 255, which is evdev 247");
  assert.equal(new Set(codes).size, codes.length);
});

test("evdev codes are those of linux/input-event-codes.h", () => {
  const known: Record<string, number> = {
    Escape: 1, Digit0: 11, Backspace: 14, KeyP: 25, Enter: 28, KeyA: 30, Backquote: 41, Backslash: 43, KeyM: 50, Slash: 53,
    NumpadMultiply: 55, AltLeft: 56, F10: 68, Numpad7: 71, NumpadAdd: 78, Numpad0: 82, NumpadDecimal: 83, IntlBackslash: 86,
    F12: 88, AltRight: 100, Home: 102, Delete: 111, Pause: 119, MetaLeft: 125, ContextMenu: 127, F13: 183, F24: 194,
    IntlRo: 89, IntlYen: 124, Convert: 92, KanaMode: 93, NonConvert: 94, Lang1: 122, Lang2: 123, Lang3: 90, Lang4: 91, Lang5: 85,
    NumpadComma: 121, AudioVolumeMute: 113, AudioVolumeUp: 115, MediaTrackNext: 163, MediaPlayPause: 164, MediaStop: 166,
    BrowserBack: 158, LaunchMail: 155, LaunchApp2: 140, NumpadEqual: 117, NumpadParenLeft: 179,
  };
  for (const [code, number] of Object.entries(known))
    assert.equal(evdevCode(code), number, code);
  for (const code of ["", "Unidentified", "__proto__", "toString"])
    assert.equal(evdevCode(code), 0, code);
});

test("keysyms: Latin-1 as it is, Unicode above, names by table, left and right and keypad by location", () => {
  const known: [string, number, number][] = [
    ["a", 0, 0x61], ["A", 0, 0x41], [" ", 0, 0x20], ["~", 0, 0x7e], ["ä", 0, 0xe4], ["ÿ", 0, 0xff], ["\u00a0", 0, 0xa0],
    ["€", 0, 0x010020ac], ["ж", 0, 0x01000436], ["字", 0, 0x01005b57], ["😀", 0, 0x0101f600], ["Ā", 0, 0x01000100],
    ["Enter", 0, 0xff0d], ["Enter", 3, 0xff8d], ["Shift", 1, 0xffe1], ["Shift", 2, 0xffe2], ["Control", 2, 0xffe4],
    ["Meta", 1, 0xffeb], ["Meta", 2, 0xffec], ["Alt", 1, 0xffe9], ["AltGraph", 2, 0xfe03], ["F1", 0, 0xffbe], ["F12", 0, 0xffc9],
    ["F35", 0, 0xffe0], ["Home", 0, 0xff50], ["Home", 3, 0xff95], ["Delete", 3, 0xff9f], ["5", 0, 0x35], ["5", 3, 0xffb5],
    ["+", 3, 0xffab], [",", 3, 0xffac], [".", 3, 0xffae], ["Clear", 3, 0xff9d], ["ContextMenu", 0, 0xff67],
    ["AudioVolumeUp", 0, 0x1008ff13], ["Compose", 0, 0xff20], ["Tab", 0, 0xff09],
  ];
  for (const [key, location, number] of known)
    assert.equal(keysym(key, location), number, `${key} at ${location}`);
  for (const key of ["Dead", "Process", "Unidentified", "", "\u0007", "\u0085", "ab", "F36", "constructor", "__proto__"])
    assert.equal(keysym(key, 0), 0, JSON.stringify(key));
});

test("a key goes up as it went down, whatever its character is by then", () => {
  const { keyboard, sent } = setup();
  keyboard.down(event("ShiftLeft", "Shift", { location: 1, on: ["Shift"] }));
  keyboard.down(event("Digit1", "!", { on: ["Shift"] }));
  keyboard.up(event("ShiftLeft", "Shift", { location: 1 }));
  keyboard.up(event("Digit1", "1"));
  assert.deepEqual(sent.map((r) => [r.down, r.keysym, r.modifiers]),
    [[true, 0xffe1, 1], [true, 0x21, 1], [false, 0xffe1, 0], [false, 0x21, 0]]);
});

test("modifiers are as they are after the event, even where the browser tells those before", () => {
  const { keyboard, sent } = setup();
  keyboard.down(event("ControlLeft", "Control", { location: 1 }));
  keyboard.down(event("ControlRight", "Control", { location: 2, on: ["Control"] }));
  keyboard.up(event("ControlLeft", "Control", { location: 1, on: ["Control"] }));
  keyboard.up(event("ControlRight", "Control", { location: 2, on: ["Control"] }));
  keyboard.down(event("KeyA", "A", { on: ["CapsLock", "NumLock"] }));
  assert.deepEqual(sent.map((r) => r.modifiers), [2, 2, 2, 0, 96]);
});

test("repeats are marked, and repeat what was pressed", () => {
  const { keyboard, sent, brief } = setup();
  keyboard.down(event("KeyA", "a"));
  keyboard.down(event("KeyA", "A", { repeat: true, on: ["Shift"] }));
  keyboard.up(event("KeyA", "A"));
  assert.deepEqual(brief(), ["30+", "30*", "30-"]);
  assert.deepEqual(sent.map((r) => r.keysym), [0x61, 0x61, 0x61]);
});

test("a key whose way up was lost goes up before it goes down again", () => {
  const { keyboard, brief } = setup();
  keyboard.down(event("KeyA", "a"));
  keyboard.down(event("KeyA", "a"));
  keyboard.up(event("KeyA", "a"));
  assert.deepEqual(brief(), ["30+", "30-", "30+", "30-"]);
});

test("keys that mean nothing to the desktop are left to the browser", () => {
  const { keyboard, sent } = setup();
  assert.equal(keyboard.down(event("", "Unidentified")), false);
  assert.equal(keyboard.up(event("KeyA", "a")), false, "a way up of a key that was pressed elsewhere");
  assert.equal(sent.length, 0);
  assert.equal(keyboard.down(event("BracketLeft", "Dead")), false, "a dead key is the browser's, which makes a character of it");
  keyboard.meaning = "position";
  assert.equal(keyboard.down(event("BracketLeft", "Dead")), true, "by position it goes by its code");
  assert.deepEqual([sent[0]?.code, sent[0]?.keysym, sent[0]?.meaning], [26, 0, "position"]);
});

test("clear forgets what is held", () => {
  const { keyboard, brief } = setup();
  keyboard.down(event("KeyA", "a"));
  keyboard.clear();
  assert.equal(keyboard.up(event("KeyA", "a")), false);
  assert.deepEqual(brief(), ["30+"]);
});

test("macOS: keys held under Command go up with it, other modifiers stay", () => {
  const { keyboard, brief } = setup("mac");
  keyboard.down(event("MetaLeft", "Meta", { location: 1, on: ["Meta"] }));
  keyboard.down(event("ShiftLeft", "Shift", { location: 1, on: ["Meta", "Shift"] }));
  keyboard.down(event("KeyZ", "z", { on: ["Meta", "Shift"] }));
  keyboard.down(event("KeyZ", "z", { on: ["Meta", "Shift"] }));
  keyboard.up(event("MetaLeft", "Meta", { location: 1, on: ["Shift"] }));
  keyboard.up(event("ShiftLeft", "Shift", { location: 1 }));
  assert.deepEqual(brief(), ["125+", "42+", "44+", "44-", "44+", "125-", "44-", "42-"]);
});

test("macOS: Caps Lock is a press each time it changes", () => {
  const { keyboard, brief } = setup("mac");
  keyboard.down(event("CapsLock", "CapsLock", { on: ["CapsLock"] }));
  keyboard.up(event("CapsLock", "CapsLock"));
  assert.deepEqual(brief(), ["58+", "58-", "58+", "58-"]);
});

test("Windows: the Control that comes with AltGr is not sent", async () => {
  const { keyboard, sent, brief, clock } = setup("windows");
  keyboard.down(event("ControlLeft", "Control", { location: 1, on: ["Control"] }));
  keyboard.down(event("AltRight", "AltGraph", { location: 2, on: ["Control", "Alt", "AltGraph"] }));
  keyboard.down(event("KeyQ", "@", { on: ["Control", "Alt", "AltGraph"] }));
  keyboard.up(event("KeyQ", "@", { on: ["Control", "Alt", "AltGraph"] }));
  keyboard.up(event("ControlLeft", "Control", { location: 1, on: ["Alt"] }));
  keyboard.up(event("AltRight", "AltGraph", { location: 2 }));
  await clock.advance(1000);
  assert.deepEqual(brief(), ["100+", "16+", "16-", "100-"]);
  assert.deepEqual(sent.map((r) => r.modifiers), [16, 16, 16, 0]);
});

test("Windows: a Control of its own is sent before what follows, or soon", async () => {
  const { keyboard, brief, clock } = setup("windows");
  const control = event("ControlLeft", "Control", { location: 1, on: ["Control"] });
  keyboard.down(control);
  keyboard.down(event("KeyC", "c", { on: ["Control"] }));
  keyboard.up(event("KeyC", "c", { on: ["Control"] }));
  keyboard.up(control);
  assert.deepEqual(brief(), ["29+", "46+", "46-", "29-"]);
  keyboard.down(control);
  keyboard.settle();
  assert.equal(brief().length, 5, "a click comes after it");
  keyboard.up(control);
  keyboard.down(control);
  await clock.advance(50);
  assert.equal(brief().length, 7);
  keyboard.up(control);
  keyboard.down(control);
  keyboard.up(control);
  assert.deepEqual(brief().slice(-2), ["29+", "29-"], "a short tap is whole");
});

test("a modifier whose way up was lost goes up at the next event, but not one that the browser never tells", () => {
  const { keyboard, sent, brief } = setup();
  keyboard.down(event("ShiftLeft", "Shift", { location: 1, on: ["Shift"] }));
  keyboard.down(event("AltRight", "AltGraph", { location: 2, on: ["Shift"] }));
  keyboard.down(event("KeyA", "a"));
  assert.deepEqual(brief(), ["42+", "100+", "42-", "30+"]);
  assert.equal(sent.at(-1)?.modifiers, 0);
  keyboard.down(event("ControlLeft", "Control", { location: 1, on: ["Control"] }));
  keyboard.reconcile(event("", "", { on: ["Control"] }));
  keyboard.reconcile(event("", ""));
  assert.deepEqual(brief().slice(4), ["29+", "29-"], "a pointer event tells too");
});

test("text goes out as characters, with the locks as they were", () => {
  const { keyboard, sent } = setup();
  keyboard.down(event("KeyA", "A", { on: ["CapsLock"] }));
  keyboard.up(event("KeyA", "A", { on: ["CapsLock"] }));
  sent.length = 0;
  keyboard.text("é😀\n");
  assert.deepEqual(sent.map((r) => [r.down, r.code, r.keysym, r.modifiers, r.meaning]), [
    [true, 0, 0xe9, 32, "text"], [false, 0, 0xe9, 32, "text"], [true, 0, 0x0101f600, 32, "text"], [false, 0, 0x0101f600, 32, "text"],
    [true, 0, 0xff0d, 32, "text"], [false, 0, 0xff0d, 32, "text"],
  ]);
});

test("modifiers on the page hold for one key, whatever kind of key it is", () => {
  const { keyboard, sent, brief } = setup();
  let used = 0;
  keyboard.onModifiersUsed = () => used++;
  keyboard.hold("ControlLeft", "Control", true);
  keyboard.hold("AltLeft", "Alt", true);
  keyboard.tap("Delete", "Delete");
  assert.deepEqual(brief(), ["29+", "56+", "111+", "111-", "29-", "56-"]);
  assert.deepEqual(sent.slice(0, 3).map((r) => r.modifiers), [2, 6, 6]);
  keyboard.hold("ControlLeft", "Control", true);
  keyboard.text("c");
  keyboard.hold("ControlLeft", "Control", true);
  keyboard.down(event("KeyV", "v"));
  assert.deepEqual(sent.slice(6).map((r) => [r.down, r.code || r.keysym, r.modifiers]),
    [[true, 29, 2], [true, 0x63, 2], [false, 0x63, 2], [false, 29, 0], [true, 29, 2], [true, 47, 2], [false, 29, 0]]);
  assert.equal(used, 3);
  keyboard.hold("MetaLeft", "Meta", true);
  keyboard.hold("MetaLeft", "Meta", false);
  assert.deepEqual(brief().slice(-2), ["125+", "125-"]);
});

test("Windows: Print Screen and keys of Asian keyboards are whole", () => {
  const { keyboard, brief } = setup("windows");
  keyboard.up(event("PrintScreen", "PrintScreen"));
  keyboard.down(event("Lang1", "HangulMode"));
  assert.deepEqual(brief(), ["99+", "99-", "122+", "122-"]);
});

test("macOS: Option makes characters, the left one is Alt too, and the pad always gives digits", () => {
  const { keyboard, sent } = setup("mac");
  keyboard.down(event("AltLeft", "Alt", { location: 1, on: ["Alt"] }));
  keyboard.down(event("KeyL", "@", { on: ["Alt"] }));
  assert.deepEqual([sent[1]?.keysym, sent[1]?.modifiers], [0x40, 16 | 64], "a German keyboard's @ is text");
  keyboard.down(event("KeyF", "ƒ", { on: ["Alt"] }));
  assert.deepEqual([sent[2]?.code, sent[2]?.keysym, sent[2]?.modifiers], [33, 0, 4 | 64], "Alt+F");
  keyboard.up(event("AltLeft", "Alt", { location: 1 }));
  keyboard.down(event("AltRight", "Alt", { location: 2, on: ["Alt"] }));
  keyboard.down(event("KeyO", "ø", { on: ["Alt"] }));
  assert.deepEqual([sent.at(-1)?.keysym, sent.at(-1)?.modifiers], [0xf8, 16 | 64]);
});

test("macOS: Command can be Control", () => {
  const { keyboard, sent, brief } = setup("mac");
  keyboard.commandIsControl = true;
  keyboard.down(event("MetaLeft", "Meta", { location: 1, on: ["Meta"] }));
  keyboard.down(event("KeyC", "c", { on: ["Meta"] }));
  keyboard.up(event("MetaLeft", "Meta", { location: 1 }));
  assert.deepEqual(brief(), ["29+", "46+", "29-", "46-"]);
  assert.deepEqual(sent.map((r) => r.modifiers & 15), [2, 2, 0, 0]);
});

test("the system is known by its name", () => {
  assert.deepEqual(["MacIntel", "iPhone", "Win32", "Linux x86_64", ""].map(platformOf), ["mac", "mac", "windows", "other", "other"]);
});
