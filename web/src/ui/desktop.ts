// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktop's pointer and size on the page: drawn as the browser's own pointer, sized to the window.
import { type CursorShape, CursorShapes, cursorSize } from "../core/cursor";
import { type SizeMode, exactPlace, wishFor } from "../core/display-size";
import { Timer, systemClock } from "../core/events";
import type { DesktopMessage } from "../core/messages";
import type { Session } from "../core/session";

const kSettle = 150;

/** What the desktop says of itself (desktop/state). */
interface DesktopState {
  clipboard: "off" | "in" | "out" | "both";
  clipboardLimit: number;
  cursor: boolean;
  resize: boolean;
  run: number;
  width: number;
  height: number;
  maxWidth: number;
  maxHeight: number;
}

function stateOf(message: DesktopMessage): DesktopState {
  const number = (name: string, most: number) => {
    const value = message[name];
    return typeof value === "number" && value >= 0 && value <= most ? Math.floor(value) : 0;
  };
  const ways = ["off", "in", "out", "both"] as const;
  return {
    clipboard: ways.find((way) => way === message["clipboard"]) ?? "off", clipboardLimit: number("clipboardLimit", 2 ** 30),
    cursor: message["cursor"] === true, resize: message["resize"] === true, run: number("run", 2 ** 32), width: number("width", 65535),
    height: number("height", 65535), maxWidth: number("maxWidth", 65535), maxHeight: number("maxHeight", 65535),
  };
}

export class Desktop {
  readonly #session: Session;
  readonly #overlay: HTMLImageElement;
  readonly #shapes = new CursorShapes();
  readonly #settle: Timer;
  #state: DesktopState | null = null;
  #mode: SizeMode = "follow";
  #run = -1;
  #shape: CursorShape | null | undefined;
  #drawn = new Map<string, string>();
  #place: { x: number; y: number } | null = null;
  /** Called when the desktop says what it shares. */
  onstate: (state: DesktopState) => void = () => {};

  constructor(session: Session, overlay: HTMLImageElement, signal: AbortSignal) {
    this.#session = session;
    this.#overlay = overlay;
    this.#settle = new Timer(systemClock, signal);
    session.on("desktop", (message) => this.#handle(message), signal);
    session.on("control", ({ you }) => {
      if (you)
        this.#wish();
      this.#draw();
    }, signal);
    session.on("welcome", () => {
      this.#run = -1;
    }, signal);
    // A later one replaces the wish: windows are dragged.
    const resized = () => {
      this.#layOut();
      this.#settle.start(kSettle, () => this.#wish());
    };
    window.addEventListener("resize", resized, { signal });
    document.addEventListener("fullscreenchange", resized, { signal });
    // The ratio changes with the zoom, and when the window comes to another screen.
    const watchRatio = () => matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      resized();
      watchRatio();
    }, { once: true, signal });
    watchRatio();
  }

  get state(): DesktopState | null {
    return this.#state;
  }

  setMode(mode: SizeMode): void {
    this.#mode = mode;
    this.#wish();
  }

  #handle(message: DesktopMessage): void {
    if (message.type === "desktop/state") {
      const before = this.#state;
      this.#state = stateOf(message);
      this.onstate(this.#state);
      this.#layOut();
      // A display that was started anew has the size that it had at first.
      if (this.#state.run !== this.#run || before?.resize !== this.#state.resize) {
        this.#run = this.#state.run;
        this.#wish();
      }
    } else if (message.type === "desktop/cursor") {
      const shape = this.#shapes.take(message);
      if (shape !== undefined) {
        this.#shape = shape;
        this.#draw();
      }
    } else if (message.type === "desktop/pointer") {
      const { x, y } = message;
      if (typeof x === "number" && typeof y === "number")
        this.#place = { x, y };
      this.#moveOverlay();
    }
  }

  // ---- size ----

  get #window() {
    return { width: window.innerWidth, height: window.innerHeight };
  }

  #wish(): void {
    const state = this.#state;
    if (!state?.resize || !this.#session.control)
      return;
    const wish = wishFor(this.#mode, this.#window, devicePixelRatio, { width: state.maxWidth, height: state.maxHeight });
    if (wish)
      this.#session.send({ type: "desktop/size", ...wish });
  }

  get #screens(): Iterable<HTMLElement> {
    return document.querySelectorAll<HTMLElement>("#screen, .screen");
  }

  /** Each pixel of the desktop on one of the screen, if they are as good as as many. */
  #layOut(): void {
    const place = this.#state && exactPlace(this.#state, this.#window, devicePixelRatio);
    for (const { style } of this.#screens) {
      style.inset = place ? `${place.top}px auto auto ${place.left}px` : "";
      style.width = place ? `${place.width}px` : "";
      style.height = place ? `${place.height}px` : "";
    }
    this.#draw();
  }

  /** CSS pixels per pixel of the desktop, and where the picture begins. */
  get #picture() {
    const screen = document.getElementById("screen"), state = this.#state;
    if (!screen || !state?.width || !state.height)
      return null;
    const box = screen.getBoundingClientRect();
    const scale = Math.min(box.width / state.width, box.height / state.height);
    return {
      scale, left: box.left + (box.width - state.width * scale) / 2, top: box.top + (box.height - state.height * scale) / 2,
    };
  }

  // ---- pointer ----

  /** The holder's own pointer takes the shape; to the others it is shown where the holder's is. */
  #draw(): void {
    const picture = this.#picture, shape = this.#shape;
    const own = this.#session.control;
    const set = (cursor: string) => {
      for (const { style } of this.#screens)
        style.cursor = cursor;
    };
    this.#overlay.hidden = own || !shape || !picture;
    if (!this.#state?.cursor || shape === undefined || !own || !picture) {
      set("");
    } else if (shape === null) {
      set("none");
    } else {
      const size = cursorSize(shape, picture.scale, devicePixelRatio);
      const key = `${shape.id} ${size.pixelWidth} ${size.pixelHeight} ${devicePixelRatio}`;
      const drawn = this.#drawn.get(key);
      if (drawn)
        set(drawn);
      else
        void this.#render(shape, size.pixelWidth, size.pixelHeight).then((url) => {
          if (this.#drawn.size >= 64)
            this.#drawn.clear();
          this.#drawn.set(key, `image-set(url(${url}) ${devicePixelRatio}x) ${size.hotX} ${size.hotY}, default`);
          if (this.#shape === shape)
            this.#draw();
        }, () => set(""));
    }
    this.#moveOverlay();
  }

  /** The picture in exactly the pixels that it is shown with. */
  async #render(shape: CursorShape, width: number, height: number): Promise<string> {
    const image = new Image();
    image.src = shape.url;
    await image.decode();
    if (image.naturalWidth === width && image.naturalHeight === height)
      return shape.url;
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (!context)
      throw new Error("no canvas");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    return canvas.toDataURL();
  }

  #moveOverlay(): void {
    const picture = this.#picture, shape = this.#shape, place = this.#place;
    if (this.#session.control || !picture || !shape || !place) {
      this.#overlay.hidden = true;
      return;
    }
    const { style } = this.#overlay;
    if (this.#overlay.src !== shape.url)
      this.#overlay.src = shape.url;
    this.#overlay.hidden = false;
    style.width = `${shape.width * picture.scale}px`;
    style.height = `${shape.height * picture.scale}px`;
    style.left = `${picture.left + (place.x - shape.hotX) * picture.scale}px`;
    style.top = `${picture.top + (place.y - shape.hotY) * picture.scale}px`;
  }
}
