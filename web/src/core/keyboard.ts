// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyboard events, text and keys on the page to key records: what is held, modifiers, and what each system's browsers forget to say.
import { type Clock, Timer, systemClock } from "./events";
import type { KeyMeaning, KeyRecord } from "./input-record";
import { evdevCode, keysym } from "./key-tables";

/** What is read of a KeyboardEvent. */
export interface KeyLike {
  readonly code: string;
  readonly key: string;
  readonly location: number;
  readonly repeat: boolean;
  getModifierState(name: string): boolean;
}

const kShift = 1, kControl = 2, kAlt = 4, kMeta = 8, kAltGraph = 16, kNumLock = 64;
const kModifiers: Readonly<Record<string, number>> = {
  Shift: kShift, Control: kControl, Alt: kAlt, Meta: kMeta, AltGraph: kAltGraph, CapsLock: 32, NumLock: kNumLock,
};
const kLocks = 32 | kNumLock;
/** Keys that are modifiers while they are held (Caps Lock and Num Lock are states, not held). */
const kHeldModifiers: Readonly<Record<string, number>> = {
  Shift: kShift, Control: kControl, Alt: kAlt, Meta: kMeta, AltGraph: kAltGraph,
};

export type Platform = "mac" | "windows" | "other";

export function platformOf(name: string): Platform {
  return /mac|iphone|ipad/i.test(name) ? "mac" : /^win/i.test(name) ? "windows" : "other";
}

/** Windows puts a Control in front of AltGr; both come within this time. */
const kAltGraphPatience = 50;
/** Keys of Asian keyboards of which Windows tells no way up. */
const kNoWayUp = new Set(["Hiragana", "Katakana", "HiraganaKatakana", "Romaji", "Zenkaku", "Hankaku", "ZenkakuHankaku", "Eisu",
  "Alphanumeric", "KanaMode", "HangulMode", "HanjaMode", "JunjaMode"]);
const kMac: Readonly<Record<string, { code: number; keysym: number }>> = {
  MetaLeft: { code: evdevCode("ControlLeft"), keysym: keysym("Control", 1) },
  MetaRight: { code: evdevCode("ControlRight"), keysym: keysym("Control", 2) },
};

interface HeldKey {
  record: KeyRecord;
  key: string;
  /** A key on the page. */
  ofPage: boolean;
  /** A modifier of which the browser said that it is down; not all say so of all. */
  told: boolean;
}

const own = (table: Readonly<Record<string, number>>, name: string) =>
  (Object.prototype.hasOwnProperty.call(table, name) ? table[name] : undefined) ?? 0;

/** Keeps what is held, and makes the records for what browsers forget to say. */
export class Keyboard {
  readonly #send: (key: KeyRecord) => void;
  readonly #platform: Platform;
  readonly #held = new Map<string, HeldKey>();
  readonly #controlTimer: Timer;
  #control: KeyRecord | null = null;
  /** Locks as they were last seen. */
  #locks = 0;
  /** What the user wants all keys to mean; undefined: whichever fits. */
  meaning: KeyMeaning | undefined;
  /** macOS: the Command keys are Control keys to the desktop. */
  commandIsControl = false;
  /** Called when modifiers of the page itself were let go of. */
  onModifiersUsed: (() => void) | null = null;

  constructor(send: (key: KeyRecord) => void, platform: Platform, clock: Clock = systemClock) {
    this.#send = send;
    this.#platform = platform;
    this.#controlTimer = new Timer(clock);
    if (platform === "mac")
      this.#locks = kNumLock;
  }

  /** Returns false for keys that mean nothing to the desktop, or not yet: those go on to the browser and its input methods. */
  down(event: KeyLike): boolean {
    this.reconcile(event, event.code);
    const record = this.#record(event, true);
    if (record.meaning !== "position" && event.key === "Dead")
      return false;
    if (record.code === 0 && record.keysym === 0)
      return false;
    const id = this.#id(event);
    if (event.key === "AltGraph" && this.#control) {
      // That Control was never pressed.
      this.#control = null;
      this.#controlTimer.cancel();
      this.#held.delete("ControlLeft");
    }
    this.settle();
    // A repeat goes out as what its press was.
    const held = this.#held.get(id);
    if (event.repeat && held) {
      this.#send({ ...held.record, repeat: true, modifiers: record.modifiers });
      return true;
    }
    // A key cannot go down twice: its way up was not told.
    if (held)
      this.#release(id, record.modifiers);
    this.#held.set(id, { record, key: event.key, ofPage: false, told: false });
    if (this.#platform === "windows" && event.code === "ControlLeft") {
      this.#control = record;
      this.#controlTimer.start(kAltGraphPatience, () => this.settle());
      return true;
    }
    this.#send(record);
    // macOS tells Caps Lock by one event each time it changes.
    if ((this.#platform === "mac" && event.code === "CapsLock") || (this.#platform === "windows" && kNoWayUp.has(event.key)))
      this.#release(id, record.modifiers);
    if (!own(kHeldModifiers, event.key))
      this.#letGoOfPage();
    return true;
  }

  up(event: KeyLike): boolean {
    this.settle();
    this.reconcile(event, event.code);
    const bits = this.#modifiers(event, false);
    const id = this.#id(event);
    const macCapsLock = this.#platform === "mac" && event.code === "CapsLock";
    // Windows tells only the way up of Print Screen.
    if (macCapsLock || (event.key === "PrintScreen" && !this.#held.has(id))) {
      const record = this.#record(event, false);
      this.#send({ ...record, down: true, modifiers: bits });
      this.#send({ ...record, down: false, modifiers: bits });
      return true;
    }
    if (!this.#held.has(id))
      return false;
    this.#release(id, bits);
    // macOS tells no way up of a key that was pressed or held while Command was down.
    if (this.#platform === "mac" && event.key === "Meta")
      for (const [other, { key, ofPage }] of [...this.#held])
        if (!own(kHeldModifiers, key) && !ofPage)
          this.#release(other, bits);
    return true;
  }

  /** Lets go of modifiers that are no longer down though their way up was not told. Any event of keyboard or pointer says so. */
  reconcile(event: Pick<KeyLike, "getModifierState">, except = ""): void {
    for (const [id, held] of [...this.#held]) {
      // AltGr is told in too many ways to rely on.
      if (held.ofPage || !own(kHeldModifiers, held.key) || held.key === "AltGraph")
        continue;
      if (event.getModifierState(held.key))
        held.told = true;
      else if (held.told && id !== except)
        this.#release(id, this.#bits(event) & ~own(kHeldModifiers, held.key));
    }
  }

  /** Characters without keys: from input methods and touch keyboards. A line feed is Enter. */
  text(text: string): void {
    this.settle();
    for (const character of text) {
      const symbol = keysym(character === "\n" ? "Enter" : character === "\t" ? "Tab" : character, 0);
      if (symbol)
        this.#tap({ down: true, repeat: false, code: 0, keysym: symbol, modifiers: this.#pageBits() | this.#locks, meaning: "text" });
    }
    this.#letGoOfPage();
  }

  /** A key on the page, by its KeyboardEvent names. */
  tap(code: string, key: string, location = 0): void {
    this.settle();
    this.#tap({
      down: true, repeat: false, code: evdevCode(code), keysym: keysym(key, location), modifiers: this.#pageBits() | this.#locks,
    });
    this.#letGoOfPage();
  }

  /** A modifier on the page, which stays down until the next key or until `down` is false. */
  hold(code: string, key: string, down: boolean): void {
    this.settle();
    const id = `page:${code}`;
    if (!down) {
      this.#release(id, (this.#pageBits() & ~own(kHeldModifiers, key)) | this.#locks);
      return;
    }
    if (this.#held.has(id))
      return;
    const record: KeyRecord = {
      down: true, repeat: false, code: evdevCode(code), keysym: keysym(key, 1),
      modifiers: this.#pageBits() | own(kHeldModifiers, key) | this.#locks,
    };
    this.#held.set(id, { record, key, ofPage: true, told: false });
    this.#send(record);
  }

  /** Sends what still waits. To be called before any other kind of input is sent. */
  settle(): void {
    const control = this.#control;
    this.#control = null;
    this.#controlTimer.cancel();
    if (control)
      this.#send(control);
  }

  /** Whether the user holds a Control key (browsers claim so for pinches on a touchpad too). */
  get controlHeld(): boolean {
    return [...this.#held.values()].some(({ key }) => key === "Control");
  }

  /** Forgets what is held; a release record lets go of it. */
  clear(): void {
    this.#control = null;
    this.#controlTimer.cancel();
    this.#held.clear();
    this.onModifiersUsed?.();
  }

  #record(event: KeyLike, down: boolean): KeyRecord {
    const modifiers = this.#modifiers(event, down);
    let code = evdevCode(event.code), symbol = keysym(event.key, event.location);
    const command = this.#platform === "mac" && this.commandIsControl ? kMac[event.code] : undefined;
    if (command)
      ({ code, keysym: symbol } = command);
    // Option makes characters on macOS. One of ASCII is meant, for the keyboards there have no other key for it; other ones are
    // meant with the right Option key only, so that the left one is Alt.
    const option = this.#platform === "mac" && modifiers & kAlt && !(modifiers & (kControl | kMeta)) && symbol && [...event.key].length === 1;
    let bits = modifiers;
    if (option && code && ((event.key > "~") ? this.#held.has("AltRight") : !/^[a-z0-9 ]$/i.test(event.key)))
      bits = (modifiers & ~kAlt) | kAltGraph;
    else if (option && code && event.key > "~")
      symbol = 0;
    const record: KeyRecord = { down, repeat: event.repeat, code, keysym: symbol, modifiers: bits };
    return this.meaning ? { ...record, meaning: this.meaning } : record;
  }

  #tap(record: KeyRecord): void {
    this.#send(record);
    this.#send({ ...record, down: false });
  }

  #release(id: string, bits: number): void {
    const held = this.#held.get(id);
    if (!held)
      return;
    this.#held.delete(id);
    this.#send({ ...held.record, down: false, repeat: false, modifiers: bits });
  }

  #pageBits(): number {
    let bits = 0;
    for (const { key, ofPage } of this.#held.values())
      bits |= ofPage ? own(kHeldModifiers, key) : 0;
    return bits;
  }

  #letGoOfPage(): void {
    const pages = [...this.#held].filter(([, { ofPage }]) => ofPage);
    for (const [id] of pages)
      this.#release(id, this.#locks);
    if (pages.length)
      this.onModifiersUsed?.();
  }

  #bits(event: Pick<KeyLike, "getModifierState">): number {
    let bits = this.#pageBits();
    for (const [name, bit] of Object.entries(kModifiers))
      if (event.getModifierState(name))
        bits |= bit;
    // Macs have no Num Lock: their pads always give digits.
    if (this.#platform === "mac")
      bits |= kNumLock;
    this.#locks = bits & kLocks;
    return bits;
  }

  /** As they are after the event, whatever the browser thinks about the key's own modifier. */
  #modifiers(event: KeyLike, down: boolean): number {
    let bits = this.#bits(event);
    const bit = own(kHeldModifiers, event.key);
    const id = this.#id(event);
    if (down)
      bits |= bit;
    else if (bit && ![...this.#held].some(([other, { key }]) => other !== id && key === event.key))
      bits &= ~bit;
    if (this.#platform === "windows" && bits & kAltGraph)
      bits &= ~(kControl | kAlt);
    if (this.#platform === "mac" && this.commandIsControl && bits & kMeta)
      bits = (bits & ~kMeta) | kControl;
    return bits;
  }

  /** By position, since the character of the same key may change while it is held. */
  #id(event: KeyLike): string {
    return event.code || `key:${event.key}`;
  }
}
