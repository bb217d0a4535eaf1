// SPDX-License-Identifier: LGPL-2.1-or-later
// What shows the picture: a video element for WebRTC, a canvas for WebSocket. The one that does has the id `screen` and lies on top; to the
// rest of the page both are one element.

export class Screens {
  readonly video: HTMLVideoElement;
  readonly canvas: HTMLCanvasElement;
  #element: HTMLVideoElement | HTMLCanvasElement;
  #canvasSize = { width: 0, height: 0 };
  #desktopSize = { width: 0, height: 0 };

  /** The page starts with the video element as #screen. */
  constructor(page: Document) {
    this.video = page.querySelector("video.screen") as HTMLVideoElement;
    this.canvas = page.querySelector("canvas.screen") as HTMLCanvasElement;
    this.#element = this.video;
  }

  /** The one that the user sees. */
  get element(): HTMLVideoElement | HTMLCanvasElement {
    return this.#element;
  }
  /** Size of the picture. */
  get width(): number {
    return this.#element === this.video ? this.video.videoWidth : this.#canvasSize.width;
  }
  get height(): number {
    return this.#element === this.video ? this.video.videoHeight : this.#canvasSize.height;
  }
  /** What positions are counted in: the desktop's pixels, of which a picture for a thin link has fewer. */
  get grid(): { width: number; height: number } {
    const { width, height } = this, desktop = this.#desktopSize;
    const copy = width > 0 && desktop.width > width && Math.abs((desktop.width * height) / (desktop.height * width) - 1) < 0.02;
    return copy ? desktop : { width, height };
  }
  get locked(): boolean {
    return document.pointerLockElement === this.#element;
  }

  /** The worker's last picture has this size; the canvas itself says so only later. */
  setCanvasSize(width: number, height: number): void {
    this.#canvasSize = { width, height };
  }

  setDesktopSize(width: number, height: number): void {
    this.#desktopSize = { width, height };
  }

  show(element: HTMLVideoElement | HTMLCanvasElement): void {
    const before = this.#element;
    if (element === before)
      return;
    const focused = document.activeElement === before;
    this.#element = element;
    before.removeAttribute("id");
    before.tabIndex = -1;
    before.setAttribute("aria-hidden", "true");
    element.id = "screen";
    element.tabIndex = 0;
    element.removeAttribute("aria-hidden");
    // As it looked: the desktop's pointer is a style of the element.
    element.style.cursor = before.style.cursor;
    if (document.pointerLockElement === before)
      document.exitPointerLock();
    if (focused)
      this.focus();
  }

  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K, listener: (event: HTMLElementEventMap[K]) => void, options?: AddEventListenerOptions,
  ): void {
    for (const element of [this.video, this.canvas])
      (element as HTMLElement).addEventListener(type, listener, options);
  }
  setAttribute(name: string, value: string): void {
    for (const element of [this.video, this.canvas])
      element.setAttribute(name, value);
  }
  focus(options: FocusOptions = { preventScroll: true }): void {
    this.#element.focus(options);
  }
  getBoundingClientRect(): DOMRect {
    return this.#element.getBoundingClientRect();
  }
  setPointerCapture(id: number): void {
    this.#element.setPointerCapture(id);
  }
  /** Without acceleration where the browser can; older ones return nothing and take no options. */
  requestPointerLock(): void {
    const element = this.#element;
    const locking = (element.requestPointerLock as (options?: object) => Promise<void> | undefined).call(element, { unadjustedMovement: true });
    locking?.catch(() => element.requestPointerLock());
  }
}
