// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables: KeyboardEvent.code to Linux evdev codes, KeyboardEvent.key to X11 keysyms.

/** KeyboardEvent.code (UI Events code values) to evdev codes (linux/input-event-codes.h). */
const kEvdev: Readonly<Record<string, number>> = (() => {
  const table: Record<string, number> = {};
  const row = (first: number, codes: string) => codes.split(" ").forEach((code, i) => (table[code] = first + i));
  row(1, "Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace Tab");
  row(16, "KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft");
  row(30, "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash");
  row(44, "KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock");
  row(59, "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock Numpad7 Numpad8 Numpad9 NumpadSubtract");
  row(75, "Numpad4 Numpad5 Numpad6 NumpadAdd Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal");
  row(86, "IntlBackslash F11 F12 IntlRo");
  row(92, "Convert KanaMode NonConvert");
  row(96, "NumpadEnter ControlRight NumpadDivide PrintScreen AltRight");
  row(102, "Home ArrowUp PageUp ArrowLeft ArrowRight End ArrowDown PageDown Insert Delete");
  row(113, "AudioVolumeMute AudioVolumeDown AudioVolumeUp Power NumpadEqual");
  row(121, "NumpadComma Lang1 Lang2 IntlYen MetaLeft MetaRight ContextMenu");
  row(163, "MediaTrackNext MediaPlayPause MediaTrackPrevious MediaStop");
  row(183, "F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24");
  Object.assign(table, {
    Pause: 119, BrowserStop: 128, Again: 129, Props: 130, Undo: 131, Copy: 133, Open: 134, Paste: 135, Find: 136,
    Cut: 137, Help: 138, LaunchApp2: 140, Sleep: 142, WakeUp: 143, LaunchApp1: 144, LaunchScreenSaver: 152,
    LaunchMail: 155, BrowserFavorites: 156, BrowserBack: 158, BrowserForward: 159, Eject: 161, MediaRecord: 167,
    MediaRewind: 168, BrowserHome: 172, BrowserRefresh: 173, NumpadParenLeft: 179, NumpadParenRight: 180,
    MediaPause: 201, MediaPlay: 207, MediaFastForward: 208, BrowserSearch: 217, BrightnessDown: 224, BrightnessUp: 225,
    MediaSelect: 226, MailSend: 231, MailReply: 232, MailForward: 233, Lang5: 85, Lang3: 90, Lang4: 91,
    OSLeft: 125, OSRight: 126, VolumeMute: 113, VolumeDown: 114, VolumeUp: 115,
  });
  return table;
})();

/** KeyboardEvent.key names to keysyms (X11/keysymdef.h). Two values: left or standard, and right or numpad. */
const kNamed: Readonly<Record<string, readonly [number, number?]>> = {
  Backspace: [0xff08], Tab: [0xff09], Enter: [0xff0d, 0xff8d], Escape: [0xff1b], Delete: [0xffff, 0xff9f],
  Home: [0xff50, 0xff95], ArrowLeft: [0xff51, 0xff96], ArrowUp: [0xff52, 0xff97], ArrowRight: [0xff53, 0xff98],
  ArrowDown: [0xff54, 0xff99], PageUp: [0xff55, 0xff9a], PageDown: [0xff56, 0xff9b], End: [0xff57, 0xff9c],
  Clear: [0xff0b, 0xff9d], Insert: [0xff63, 0xff9e], Select: [0xff60], Print: [0xff61], PrintScreen: [0xff61],
  Execute: [0xff62], Undo: [0xff65], Redo: [0xff66], ContextMenu: [0xff67], Find: [0xff68], Cancel: [0xff69],
  Help: [0xff6a], Pause: [0xff13], ScrollLock: [0xff14], NumLock: [0xff7f], CapsLock: [0xffe5],
  Shift: [0xffe1, 0xffe2], Control: [0xffe3, 0xffe4], Alt: [0xffe9, 0xffea], Meta: [0xffeb, 0xffec],
  OS: [0xffeb, 0xffec], Super: [0xffeb, 0xffec], Hyper: [0xffed, 0xffee], AltGraph: [0xfe03],
  Compose: [0xff20], ModeChange: [0xff7e], Convert: [0xff23], NonConvert: [0xff22], KanaMode: [0xff2d],
  Hiragana: [0xff25], Katakana: [0xff26], HiraganaKatakana: [0xff27], Zenkaku: [0xff28], Hankaku: [0xff29],
  ZenkakuHankaku: [0xff2a], Romaji: [0xff24], Eisu: [0xff2f], Alphanumeric: [0xff30], HangulMode: [0xff31],
  HanjaMode: [0xff34], JunjaMode: [0xff38], AudioVolumeMute: [0x1008ff12], AudioVolumeDown: [0x1008ff11],
  AudioVolumeUp: [0x1008ff13], MediaPlayPause: [0x1008ff14], MediaStop: [0x1008ff15], MediaTrackPrevious: [0x1008ff16],
  MediaTrackNext: [0x1008ff17], BrowserBack: [0x1008ff26], BrowserForward: [0x1008ff27], BrowserRefresh: [0x1008ff29],
  BrowserStop: [0x1008ff28], BrowserSearch: [0x1008ff1b], BrowserFavorites: [0x1008ff30], BrowserHome: [0x1008ff18],
  LaunchMail: [0x1008ff19], Copy: [0x1008ff57], Cut: [0x1008ff58], Paste: [0x1008ff6d], Open: [0x1008ff6b],
  Save: [0x1008ff77], New: [0x1008ff68], Close: [0x1008ff56], MediaPlay: [0x1008ff14], MediaPause: [0x1008ff31],
  MediaRecord: [0x1008ff1c], MediaRewind: [0x1008ff3e], MediaFastForward: [0x1008ff97], Eject: [0x1008ff2c],
  BrightnessUp: [0x1008ff02], BrightnessDown: [0x1008ff03], PowerOff: [0x1008ff2a], WakeUp: [0x1008ff2b],
  Standby: [0x1008ff2f], LaunchMediaPlayer: [0x1008ff32], LaunchApplication1: [0x1008ff33],
  LaunchApplication2: [0x1008ff1d], LaunchWebBrowser: [0x1008ff2e], MailReply: [0x1008ff72],
  MailForward: [0x1008ff90], MailSend: [0x1008ff7b], ZoomIn: [0x1008ff8b], ZoomOut: [0x1008ff8c],
  AllCandidates: [0xff3d], PreviousCandidate: [0xff3e], SingleCandidate: [0xff3c], CodeInput: [0xff37],
};

const kNumpad: Readonly<Record<string, number>> = {
  "*": 0xffaa, "+": 0xffab, ",": 0xffac, "-": 0xffad, ".": 0xffae, "/": 0xffaf, "=": 0xffbd,
};

export function evdevCode(code: string): number {
  return Object.prototype.hasOwnProperty.call(kEvdev, code) ? (kEvdev[code] ?? 0) : 0;
}

/** 0 for keys without a keysym: dead keys, composition, unidentified ones. */
export function keysym(key: string, location: number): number {
  const named = Object.prototype.hasOwnProperty.call(kNamed, key) ? kNamed[key] : undefined;
  if (named)
    return (location === 2 || location === 3 ? named[1] : undefined) ?? named[0];
  const function_ = /^F([1-9]|[12][0-9]|3[0-5])$/.exec(key);
  if (function_)
    return 0xffbd + Number(function_[1]);
  const characters = [...key];
  const point = characters.length === 1 ? key.codePointAt(0) : undefined;
  if (point === undefined)
    return 0;
  if (location === 3) {
    if (point >= 0x30 && point <= 0x39)
      return 0xffb0 + point - 0x30;
    const pad = kNumpad[key];
    if (pad !== undefined)
      return pad;
  }
  // Latin-1 keysyms are the characters themselves; all others have Unicode's number.
  if ((point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff))
    return point;
  return point >= 0x100 ? 0x01000000 + point : 0;
}
