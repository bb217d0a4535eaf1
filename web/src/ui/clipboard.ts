// SPDX-License-Identifier: LGPL-2.1-or-later
// The browser's clipboard and the desktop's: kept the same as far as the browser allows, else by the paste key and a panel.
import { type ClipboardContent, type ClipboardItemData, ClipboardLink, kClipboardTypes, signatureOf } from "../core/clipboard";
import type { Session } from "../core/session";
import { N_ } from "../core/text-mark";

/** For a paste event after the key that asks for it. */
const kPasteWait = 200;
/** A paste key waits so long for the desktop to have what is to be pasted. */
const kHoldMost = 20000;

export interface ClipboardHost {
  /** For the user: what went wrong, in English. */
  notice(text: string): void;
  /** What the desktop has copied, for the panel. */
  show(content: ClipboardContent): void;
}

const bytesOf = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

export class Clipboard {
  readonly link: ClipboardLink;
  readonly #session: Session;
  #ways: "off" | "in" | "out" | "both" = "off";
  /** The browser lets the page read whenever it has the focus. */
  #mayRead = false;
  /** What both sides have, as this browser's clipboard tells it. */
  #known = "";
  #offering: Promise<boolean> | null = null;
  /** From the desktop, waiting for a moment in which the browser takes it. */
  #pending: ClipboardContent | null = null;
  #held: KeyboardEvent | null = null;
  #heldTimer = 0;
  #modifiers = new Map<string, KeyboardEvent>();

  constructor(session: Session, host: ClipboardHost, signal: AbortSignal) {
    this.#session = session;
    this.link = new ClipboardLink((message) => session.send(message), signal);
    session.on("desktop", (message) => {
      if (session.control && message.type.startsWith("desktop/clipboard"))
        this.link.handle(message);
    }, signal);
    session.on("control", ({ you }) => {
      this.link.reset();
      this.#known = "";
      if (you)
        void this.read();
    }, signal);
    session.on("state", ({ state }) => {
      if (state === "lost" || state === "refused")
        this.link.reset();
    }, signal);
    this.link.on("received", (content) => {
      host.show(content);
      this.#pending = content;
      void this.#write();
    }, signal);
    this.link.on("refused", (reason) => host.notice(kReasons[reason] ?? N_("The clipboard could not be passed on.")), signal);

    window.addEventListener("focus", () => {
      void this.#write();
      void this.read();
    }, { signal });
    document.addEventListener("visibilitychange", () => void this.read(), { signal });
    // Some browsers tell.
    (navigator.clipboard as EventTarget | undefined)?.addEventListener?.("clipboardchange", () => void this.read(), { signal });
    const capture = { signal, capture: true };
    window.addEventListener("keydown", (event) => this.#keyDown(event), capture);
    window.addEventListener("keyup", (event) => this.#keyUp(event), capture);
    window.addEventListener("paste", (event) => this.#paste(event), capture);
    // Browsers that want a gesture before the page may write.
    for (const gesture of ["pointerup", "keyup"] as const)
      window.addEventListener(gesture, () => void this.#write(), { signal });
    void this.#watchPermission(signal);
  }

  /** From desktop/state. */
  configure(ways: "off" | "in" | "out" | "both", limit: number): void {
    const before = this.#ways;
    this.#ways = ways;
    this.link.limit = limit;
    if (before !== ways)
      void this.read();
  }

  get mayRead(): boolean {
    return this.#mayRead;
  }
  get #takes(): boolean {
    return this.#session.control && (this.#ways === "both" || this.#ways === "in");
  }

  /** Asks the browser for leave to read, once, by a prompt of its own. */
  async ask(): Promise<boolean> {
    try {
      await navigator.clipboard.read();
      this.#mayRead = true;
    } catch {
      return false;
    }
    await this.read();
    return true;
  }

  async #watchPermission(signal: AbortSignal): Promise<void> {
    try {
      // Firefox does not know it, and asks the user each time instead.
      const permission = await navigator.permissions.query({ name: "clipboard-read" as PermissionName });
      const changed = () => {
        this.#mayRead = permission.state === "granted";
        void this.read();
      };
      permission.addEventListener("change", changed, { signal });
      changed();
    } catch {
      this.#mayRead = false;
    }
  }

  // ---- to the desktop ----

  /** Takes over what the browser's clipboard holds, if it may be read and is new. */
  async read(): Promise<void> {
    if (!this.#takes || !this.#mayRead || !document.hasFocus() || this.#pending)
      return;
    try {
      const content = await this.#contents();
      const signature = signatureOf(content);
      // What came from there does not go back.
      if (content.length === 0 || signature === this.#known)
        return;
      this.#known = signature;
      await this.offer(content);
    } catch {
      // It lost the focus meanwhile, or holds something that only its owner can read.
    }
  }

  async #contents(): Promise<ClipboardContent> {
    const [item] = await navigator.clipboard.read();
    const content: ClipboardItemData[] = [];
    for (const type of kClipboardTypes)
      if (item?.types.includes(type))
        content.push({ type, bytes: new Uint8Array(await (await item.getType(type)).arrayBuffer()) });
    return content.filter(({ bytes }) => bytes.length > 0);
  }

  offer(content: ClipboardContent): Promise<boolean> {
    const offering = this.link.offer(content);
    this.#offering = offering;
    void offering.then(() => {
      if (this.#offering === offering)
        this.#offering = null;
    });
    return offering;
  }

  /** Puts a text on the desktop's clipboard. */
  offerText(text: string): Promise<boolean> {
    return this.offer([{ type: "text/plain", bytes: bytesOf(text) }]);
  }

  // ---- the paste key ----

  #isPaste(event: KeyboardEvent): boolean {
    return (event.ctrlKey || event.metaKey) && !event.altKey && (event.code === "KeyV" || event.key.toLowerCase() === "v") ||
      event.shiftKey && !event.ctrlKey && !event.altKey && event.code === "Insert";
  }

  #keyDown(event: KeyboardEvent): void {
    if (event.key === "Control" || event.key === "Meta" || event.key === "Shift")
      this.#modifiers.set(event.code, event);
    const elsewhere = event.target instanceof Element && event.target.closest("nav, dialog, section");
    if (!event.isTrusted || elsewhere || !this.#takes || !this.#isPaste(event))
      return;
    if (this.#mayRead && !this.#offering)
      return;
    // The desktop must have what is to be pasted before it sees the key. Without its default the browser would not say what that is.
    event.stopImmediatePropagation();
    if (this.#held || event.repeat)
      return;
    this.#held = event;
    if (this.#mayRead) {
      event.preventDefault();
      void this.#offering?.then(() => this.#letGo());
      this.#heldTimer = window.setTimeout(() => this.#letGo(), kHoldMost);
    } else {
      this.#heldTimer = window.setTimeout(() => this.#letGo(), kPasteWait);
    }
  }

  #keyUp(event: KeyboardEvent): void {
    this.#modifiers.delete(event.code);
    // Its key-down has not been seen by anybody yet.
    if (event.isTrusted && this.#held?.code === event.code)
      event.stopImmediatePropagation();
  }

  #paste(event: ClipboardEvent): void {
    const elsewhere = event.target instanceof Element && event.target.closest("nav, dialog, section");
    if (elsewhere || !this.#takes || !event.clipboardData)
      return;
    event.preventDefault();
    event.stopImmediatePropagation();
    clearTimeout(this.#heldTimer);
    this.#heldTimer = window.setTimeout(() => this.#letGo(), kHoldMost);
    const data = event.clipboardData;
    const content: ClipboardItemData[] = [];
    for (const type of ["text/plain", "text/html"] as const)
      if (data.getData(type))
        content.push({ type, bytes: bytesOf(data.getData(type)) });
    const picture = [...data.files].find((file) => file.type === "image/png");
    void (async () => {
      if (picture)
        content.push({ type: "image/png", bytes: new Uint8Array(await picture.arrayBuffer()) });
      const signature = signatureOf(content);
      if (content.length && signature !== this.#known) {
        this.#known = signature;
        await this.offer(content);
      }
      this.#letGo();
    })();
  }

  /** The key that was held back, with its modifiers should they be up again. */
  #letGo(): void {
    clearTimeout(this.#heldTimer);
    const held = this.#held;
    this.#held = null;
    if (!held)
      return;
    const target = document.getElementById("screen") ?? document.body;
    const modifier = held.ctrlKey ? "Control" : held.metaKey ? "Meta" : "Shift";
    const down = [...this.#modifiers.values()].some(({ key }) => key === modifier);
    const play = (type: string, key: string, code: string) => target.dispatchEvent(new KeyboardEvent(type, {
      key, code, bubbles: true, cancelable: true, ctrlKey: held.ctrlKey, metaKey: held.metaKey, shiftKey: held.shiftKey,
    }));
    if (!down)
      play("keydown", modifier, `${modifier}Left`);
    play("keydown", held.key, held.code);
    play("keyup", held.key, held.code);
    if (!down)
      play("keyup", modifier, `${modifier}Left`);
  }

  // ---- from the desktop ----

  async #write(): Promise<void> {
    const content = this.#pending;
    if (!content || !document.hasFocus())
      return;
    if (!window.isSecureContext || !navigator.clipboard) {
      this.#writeOld(content);
      return;
    }
    try {
      const parts: Record<string, Blob> = {};
      for (const { type, bytes } of content)
        parts[type] = new Blob([bytes], { type });
      await navigator.clipboard.write([new ClipboardItem(parts)]);
    } catch {
      return;  // with the next gesture then
    }
    if (this.#pending !== content)
      return;
    // Browsers clean HTML and encode pictures anew: what is there now is what came from the desktop.
    try {
      this.#known = signatureOf(this.#mayRead ? await this.#contents() : content);
    } catch {
      this.#known = signatureOf(content);
    }
    if (this.#pending === content)
      this.#pending = null;
  }

  /** On pages without TLS; only within a gesture. */
  #writeOld(content: ClipboardContent): void {
    const life = new AbortController();
    document.addEventListener("copy", (event) => {
      event.preventDefault();
      for (const { type, bytes } of content)
        if (type !== "image/png")
          event.clipboardData?.setData(type, new TextDecoder().decode(bytes));
    }, { signal: life.signal });
    if (document.execCommand("copy")) {
      this.#known = signatureOf(content);
      this.#pending = null;
    }
    life.abort();
  }
}

const kReasons: Readonly<Record<string, string>> = {
  "too-large": N_("What was copied is too large for the clipboard."),
  "timeout": N_("The clipboard could not be passed on in time."),
  "format": N_("What was copied is of a kind that cannot be passed on."),
};
