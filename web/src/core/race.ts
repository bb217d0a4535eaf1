// SPDX-License-Identifier: LGPL-2.1-or-later
// Which way the picture comes: WebRTC gets a head start, WebSocket steps in where it does not show a picture or dies, and goes again when
// it does. No DOM, no sockets: events in, decisions out.
import { type Clock, Emitter, Timer, systemClock } from "./events";

export type Way = "webrtc" | "websocket";

export interface RaceEvents {
  /** Open the media socket. */
  start: undefined;
  /** Close it: it is not needed any more. */
  stop: undefined;
  /** What the user shall see from now on; null: nothing comes. */
  show: Way | null;
  /** Ask the server for a new WebRTC connection. */
  offer: undefined;
}

/** Time for WebRTC to show its first picture before the media socket is opened too. */
export const kHeadStart = 250;
/** A WebRTC connection that shows nothing for this long will not. */
export const kPatience = 10000;
/** While the picture comes by WebSocket: first and longest time until WebRTC is tried again. */
const kUpgradeFirst = 2000;
const kUpgradeMost = 15000;
const kSocketRetryFirst = 500;
const kSocketRetryMost = 5000;

export class Race extends Emitter<RaceEvents> {
  readonly #headStart: Timer;
  readonly #patience: Timer;
  readonly #upgrade: Timer;
  readonly #socketRetry: Timer;
  #can: Record<Way, boolean> = { webrtc: true, websocket: false };
  #webrtc: "none" | "trying" | "shown" | "weak" = "none";
  #socket: "none" | "trying" | "shown" = "none";
  #shown: Way | null = null;
  #upgrades = 0;
  #socketFailures = 0;

  constructor(clock: Clock = systemClock, signal?: AbortSignal) {
    super();
    this.#headStart = new Timer(clock, signal);
    this.#patience = new Timer(clock, signal);
    this.#upgrade = new Timer(clock, signal);
    this.#socketRetry = new Timer(clock, signal);
  }

  get shown(): Way | null {
    return this.#shown;
  }

  /** The session is there; these ways are open to it. */
  begin(can: Record<Way, boolean>): void {
    this.end();
    this.#can = can;
    if (!can.webrtc)
      this.#startSocket();
    else if (can.websocket)  // the offer may wait for an encoder
      this.#headStart.start(kHeadStart, () => this.#startSocket());
  }

  /** The session is gone, and all its media with it. */
  end(): void {
    for (const timer of [this.#headStart, this.#patience, this.#upgrade, this.#socketRetry])
      timer.cancel();
    this.#stopSocket();
    this.#webrtc = "none";
    this.#shown = null;
    this.#upgrades = this.#socketFailures = 0;
  }

  /** A WebRTC connection is being made. One that shows a picture goes on until the new one does. */
  offered(): void {
    this.#upgrade.cancel();
    if (this.#webrtc !== "shown") {
      this.#webrtc = "trying";
      this.#patience.start(kPatience, () => this.webrtcFailed());
    }
    if (this.#webrtc === "trying" && this.#socket === "none")
      this.#headStart.start(kHeadStart, () => this.#startSocket());
  }

  webrtcShown(): void {
    this.#webrtc = "shown";
    this.#upgrades = 0;
    this.#headStart.cancel();
    this.#patience.cancel();
    this.#upgrade.cancel();
    this.#set("webrtc");
    this.#stopSocket();
  }

  /** Nothing comes by it at the moment; that may pass. */
  webrtcWeak(): void {
    if (this.#webrtc !== "shown")
      return;
    this.#webrtc = "weak";
    this.#startSocket();
  }

  /** It passed. */
  webrtcStrong(): void {
    if (this.#webrtc === "weak")
      this.webrtcShown();
  }

  webrtcFailed(): void {
    this.#patience.cancel();
    this.#headStart.cancel();
    this.#webrtc = "none";
    if (this.#shown === "webrtc")
      this.#set(this.#socket === "shown" ? "websocket" : null);
    this.#startSocket();
    if (this.#socket === "shown" || (this.#can.websocket && this.#upgrades > 0))
      this.#planUpgrade();
    else if (this.#can.webrtc) {
      this.#upgrades++;
      this.emit("offer", undefined);
    }
  }

  socketShown(): void {
    if (this.#socket === "none")
      return;
    this.#socket = "shown";
    this.#socketFailures = 0;
    if (this.#webrtc === "shown") {
      this.#stopSocket();
      return;
    }
    this.#set("websocket");
    if (this.#webrtc === "none")
      this.#planUpgrade();
  }

  socketFailed(): void {
    if (this.#socket === "none")
      return;
    this.#socket = "none";
    if (this.#shown === "websocket")
      this.#set(null);
    if (this.#webrtc === "shown")
      return;
    this.#socketRetry.start(Math.min(kSocketRetryMost, kSocketRetryFirst * 2 ** this.#socketFailures++), () => this.#startSocket());
  }

  /** The network changed: what did not work may do now. */
  nudge(): void {
    this.#upgrades = Math.min(this.#upgrades, 1);
    if (this.#upgrade.running)
      this.#planUpgrade(0);
  }

  #set(way: Way | null): void {
    if (this.#shown === way)
      return;
    this.#shown = way;
    this.emit("show", way);
  }

  #startSocket(): void {
    this.#headStart.cancel();
    if (!this.#can.websocket || this.#socket !== "none" || this.#webrtc === "shown")
      return;
    this.#socketRetry.cancel();
    this.#socket = "trying";
    this.emit("start", undefined);
  }

  #stopSocket(): void {
    this.#socketRetry.cancel();
    if (this.#socket === "none")
      return;
    this.#socket = "none";
    this.emit("stop", undefined);
  }

  #planUpgrade(delay = Math.min(kUpgradeMost, kUpgradeFirst * 2 ** Math.max(0, this.#upgrades - 1))): void {
    if (!this.#can.webrtc || (this.#upgrade.running && delay !== 0))
      return;
    this.#upgrade.start(delay, () => {
      this.#upgrades++;
      this.emit("offer", undefined);
    });
  }
}
