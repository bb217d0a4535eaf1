// SPDX-License-Identifier: LGPL-2.1-or-later
// Fingers to a pointer with buttons and a wheel: tap, drag, long press, two-finger scroll, pinch. Page coordinates; no DOM access.
import { type Clock, Timer, systemClock } from "./events";

export interface Point { x: number; y: number }

/** What fingers do to the desktop. */
export interface TouchTarget {
  move(at: Point): void;
  button(button: number, down: boolean, at: Point): void;
  /** In 120ths of a notch, right and down positive; at the pointer's place. */
  scroll(dx: number, dy: number): void;
  /** A pinch begins (true) or ends: what is scrolled in between zooms. */
  zoom(active: boolean): void;
  /** A press was recognised as a long one: for the user to feel. */
  pressed(): void;
}

/** A finger that moves less than this, in CSS pixels, stays where it is. */
const kSlop = 10;
const kPinchSlop = 24;
const kLongPress = 500;
/** Two fingers that are up again within this tapped. */
const kTap = 300;
/** A second tap in this time and distance is made where the first was, as programs expect of a double click. */
const kDoubleTap = 400;
const kDoubleTapSlop = 24;
/** 120ths of a notch for each pixel that fingers move: content follows them at about their speed. */
const kScrollPerPixel = 2;
/** Notches for each doubling of the fingers' distance. */
const kNotchesPerDoubling = 5;
const kNotch = 120;
/** A flick goes on: how often, how much is left each time, and when it is over. */
const kFrame = 16;
const kFriction = 0.95;
const kSlowest = 2;

type State = "idle" | "one" | "drag" | "several" | "scroll" | "pinch" | "over";

const distance = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);

export class Touch {
  readonly #target: TouchTarget;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #fingers = new Map<number, { start: Point; now: Point }>();
  #state: State = "idle";
  #most = 0;
  #began = 0;
  #center: Point = { x: 0, y: 0 };
  #spread = 0;
  #rest = { x: 0, y: 0, zoom: 0 };
  #speed = { x: 0, y: 0 };
  #lastMove = 0;
  #lastTap: { at: Point; time: number } | null = null;

  constructor(target: TouchTarget, clock: Clock = systemClock) {
    this.#target = target;
    this.#clock = clock;
    this.#timer = new Timer(clock);
  }

  down(id: number, at: Point): void {
    if (this.#fingers.size === 0) {
      this.#timer.cancel();
      this.#state = "one";
      this.#most = 0;
      this.#began = this.#clock.now();
      this.#timer.start(kLongPress, () => this.#longPress());
    }
    this.#fingers.set(id, { start: at, now: at });
    this.#most = Math.max(this.#most, this.#fingers.size);
    if (this.#fingers.size > 1 && (this.#state === "one" || this.#state === "several")) {
      this.#timer.cancel();
      this.#state = "several";
      this.#center = this.#centerNow();
      this.#spread = this.#spreadNow();
      this.#rest = { x: 0, y: 0, zoom: 0 };
      this.#speed = { x: 0, y: 0 };
    }
  }

  move(id: number, at: Point): void {
    const finger = this.#fingers.get(id);
    if (!finger)
      return;
    finger.now = at;
    if (this.#state === "one" && distance(finger.start, at) > kSlop) {
      this.#timer.cancel();
      this.#state = "drag";
      this.#target.move(finger.start);
      this.#target.button(1, true, finger.start);
    }
    if (this.#state === "drag") {
      if (this.#fingers.keys().next().value === id)
        this.#target.move(at);
    } else if (this.#state !== "one") {
      this.#several();
    }
  }

  up(id: number): void {
    const finger = this.#fingers.get(id);
    if (!finger)
      return;
    const first = this.#fingers.keys().next().value === id;
    this.#fingers.delete(id);
    if (this.#state === "one") {
      this.#tap(1, this.#nearLastTap(finger.now));
      this.#lastTap = { at: finger.now, time: this.#clock.now() };
    } else if (this.#state === "drag" && first) {
      this.#target.button(1, false, finger.now);
      this.#state = "over";
    } else if (this.#state === "several" && this.#fingers.size === 0 && this.#clock.now() - this.#began < kTap) {
      // Two fingers: right; three: middle.
      this.#tap(this.#most === 2 ? 3 : 2, this.#center);
    } else if (this.#state === "pinch") {
      this.#target.zoom(false);
      this.#state = "over";
    } else if (this.#state === "scroll") {
      this.#state = "over";
      if (this.#clock.now() - this.#lastMove < 3 * kFrame)
        this.#coast();
    }
    if (this.#fingers.size === 0)
      this.#state = "idle";
  }

  /** The browser took the fingers away, or the page lost control: whatever was begun ends, without any effect of its own. */
  cancel(): void {
    this.#timer.cancel();
    const first = this.#first();
    if (this.#state === "drag" && first)
      this.#target.button(1, false, first.now);
    if (this.#state === "pinch")
      this.#target.zoom(false);
    this.#fingers.clear();
    this.#state = "idle";
  }

  #tap(button: number, at: Point): void {
    this.#timer.cancel();
    this.#target.move(at);
    this.#target.button(button, true, at);
    this.#target.button(button, false, at);
  }

  #nearLastTap(at: Point): Point {
    const last = this.#lastTap;
    return last && this.#clock.now() - last.time < kDoubleTap && distance(last.at, at) < kDoubleTapSlop ? last.at : at;
  }

  #longPress(): void {
    const first = this.#first();
    if (!first)
      return;
    this.#state = "over";
    this.#target.pressed();
    this.#tap(3, first.now);
  }

  #first(): { now: Point } | undefined {
    return this.#fingers.values().next().value;
  }

  #centerNow(): Point {
    let x = 0, y = 0;
    for (const { now } of this.#fingers.values()) {
      x += now.x;
      y += now.y;
    }
    return { x: x / this.#fingers.size, y: y / this.#fingers.size };
  }

  #spreadNow(): number {
    const center = this.#centerNow();
    let sum = 0;
    for (const { now } of this.#fingers.values())
      sum += distance(now, center);
    return (2 * sum) / this.#fingers.size;
  }

  #several(): void {
    if (this.#fingers.size < 2)
      return;
    const center = this.#centerNow(), spread = this.#spreadNow();
    if (this.#state === "several") {
      if (Math.abs(spread - this.#spread) > kPinchSlop)
        this.#state = "pinch";
      else if (distance(center, this.#center) > kSlop)
        this.#state = "scroll";
      else
        return;
      this.#target.move(this.#center);
      if (this.#state === "pinch")
        this.#target.zoom(true);
      this.#lastMove = this.#clock.now();
    }
    if (this.#state === "pinch" && spread > 0 && this.#spread > 0) {
      this.#rest.zoom += Math.log2(spread / this.#spread) * kNotchesPerDoubling * kNotch;
      const whole = Math.round(this.#rest.zoom);
      this.#rest.zoom -= whole;
      this.#spread = spread;
      if (whole)
        this.#target.scroll(0, -whole);
    } else if (this.#state === "scroll") {
      const time = Math.max(1, this.#clock.now() - this.#lastMove);
      const x = (this.#center.x - center.x) * kScrollPerPixel, y = (this.#center.y - center.y) * kScrollPerPixel;
      this.#center = center;
      this.#lastMove += time;
      const blend = (old: number, step: number) => 0.6 * old + 0.4 * (step / time) * kFrame;
      this.#speed = { x: blend(this.#speed.x, x), y: blend(this.#speed.y, y) };
      this.#scrollBy(x, y);
    }
  }

  #scrollBy(x: number, y: number): void {
    this.#rest.x += x;
    this.#rest.y += y;
    const dx = Math.trunc(this.#rest.x), dy = Math.trunc(this.#rest.y);
    this.#rest.x -= dx;
    this.#rest.y -= dy;
    if (dx || dy)
      this.#target.scroll(dx, dy);
  }

  #coast(): void {
    this.#speed = { x: this.#speed.x * kFriction, y: this.#speed.y * kFriction };
    if (Math.hypot(this.#speed.x, this.#speed.y) < kSlowest)
      return;
    this.#timer.start(kFrame, () => {
      this.#scrollBy(this.#speed.x, this.#speed.y);
      this.#coast();
    });
  }
}
