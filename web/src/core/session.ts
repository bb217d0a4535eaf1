// SPDX-License-Identifier: LGPL-2.1-or-later
// The session: WebSocket, reconnecting, offers (docs/protocol.md, section 2).
import { type Clock, Emitter, Timer, systemClock } from "./events";
import type { InputRecord } from "./input-record";
import { InputSender } from "./input-sender";
import {
  type ClientMessage, type Codec, type Control, type ControlAsked, type Notice, type Offer, type Role, type ServerError,
  type DesktopMessage, type Frames, type IceConfiguration, type IceServers, type MicrophoneAnswer, type Path, type Pong, type ServerMessage, type Transport, type Welcome,
  kProtocolVersion, kSubprotocol, parseServerMessage,
} from "./messages";
import type { Peer } from "./peer";
import { Race, type Way, kPatience } from "./race";

export type State = "connecting" | "connected" | "lost" | "refused";

export interface SessionEvents {
  state: { state: State; reason: string; retryAt: number | null };
  welcome: Welcome;
  track: MediaStreamTrack;
  /** What the picture comes by from now on; null: nothing comes, the last one stays. */
  way: Way | null;
  control: Control;
  controlAsked: ControlAsked;
  viewers: number;
  notice: Notice;
  microphone: MicrophoneAnswer;
  roundTrip: number;
  /** A ping left and its pong came, ms; the server wrote it at µs of its clock. */
  pong: { left: number; came: number; serverUs: number };
  /** What the server did with frames, and when. */
  frames: Frames;
  /** An input got its number; it was made at ms of our clock. */
  numbered: { record: InputRecord; at: number };
  /** From the desktop elements. */
  desktop: DesktopMessage;
}

/** What is used of a WebSocket. */
export interface SocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** Media by WebSocket; see WsMedia. */
export interface Fallback {
  open(url: string, token: string): void;
  close(): void;
  /** What the user says; null: nothing. */
  setMicrophone(track: MediaStreamTrack | null): void;
  on(type: "frame", listener: () => void): void;
  on(type: "closed", listener: (reason: string) => void): void;
}

/** What a plain request for the page was answered, to learn why a WebSocket was not accepted. */
export interface ProbeAnswer {
  status: number;
  /** Seconds, 0 if not said. */
  retryAfter: number;
  text: string;
}

export interface SessionOptions {
  url: string;
  codecs: () => Codec[];
  /** Transports that the user wants and this browser has; WebRTC only if not given. */
  transports?: readonly Transport[];
  /** Codecs that this browser decodes for media by WebSocket. */
  decodes?: () => Promise<Codec[]>;
  fallback?: Fallback;
  client: string;
  makeSocket?: (url: string, protocol: string) => SocketLike;
  makePeer: (ice: IceConfiguration) => Peer;
  /** Asks for the page; rejects when no server answers. */
  probe?: () => Promise<ProbeAnswer>;
  clock?: Clock;
  random?: () => number;
}

const kPingInterval = 1000;
/** Without any word from the server for this long the connection counts as lost. */
const kSilence = 2500;
const kRetryFirst = 250;
const kRetryMost = 5000;
/** An old media connection is closed when the new one shows a picture, or when that has not done so for this long. */
const kLeavingPatience = 5000;
/** From opening the WebSocket to the server's welcome. */
const kWelcomePatience = 10000;
/** After a network change the server must be heard within this. */
const kNudgePatience = 1000;
const kRenegotiateInterval = 1100;
const kOpen = 1;
const kClosedAsRefused = 1008;

const isError = (message: ServerMessage): message is ServerError => message.type === "error";

export class Session extends Emitter<SessionEvents> {
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #retryTimer: Timer;
  readonly #pingTimer: Timer;
  readonly #offerTimer: Timer;
  /** Until the server takes another request for an offer, and what is to be done once it is sent. */
  readonly #askTimer: Timer;
  #asked: (() => void) | undefined;
  readonly #leavingTimer: Timer;
  readonly #race: Race;
  readonly #welcomeTimer: Timer;
  #socket: SocketLike | null = null;
  #socketLife: AbortController | null = null;
  #peer: Peer | null = null;
  #oldPeer: Peer | null = null;
  #microphone: MediaStreamTrack | null = null;
  #input: InputSender | null = null;
  #state: State = "connecting";
  #failures = 0;
  #lastHeard = 0;
  #lastRenegotiation = -Infinity;
  #greeted = false;
  #token = "";
  #transports: readonly Transport[];
  #offer = 0;
  #inbox: ServerMessage[] | null = [];
  #visible = true;
  #started = false;
  #resume = "";
  peerId = "";
  role: Role = "view";
  control = false;

  constructor(options: SessionOptions, signal?: AbortSignal) {
    super();
    this.#options = options;
    this.#transports = options.transports ?? ["webrtc"];
    this.#clock = options.clock ?? systemClock;
    this.#retryTimer = new Timer(this.#clock, signal);
    this.#pingTimer = new Timer(this.#clock, signal);
    this.#offerTimer = new Timer(this.#clock, signal);
    this.#askTimer = new Timer(this.#clock, signal);
    this.#leavingTimer = new Timer(this.#clock, signal);
    this.#race = new Race(this.#clock, signal);
    this.#race.on("start", () => this.#options.fallback?.open(this.#options.url.replace(/ws$/, "media"), this.#token));
    this.#race.on("stop", () => this.#options.fallback?.close());
    this.#race.on("offer", () => this.#renegotiate());
    this.#race.on("show", (way) => {
      if (way)
        this.#set("connected");
      else if (this.#socket)
        this.#set("connecting", "the media connection broke");
      if (way)
        this.#failures = 0;
      this.#placeMicrophone();
      this.emit("way", way);
    });
    options.fallback?.on("frame", () => this.#race.socketShown());
    options.fallback?.on("closed", () => this.#race.socketFailed());
    this.#welcomeTimer = new Timer(this.#clock, signal);
    signal?.addEventListener("abort", () => this.#drop(), { once: true });
  }

  get state(): State {
    return this.#state;
  }
  /** Input of this viewer; null while there is no session. */
  get input(): InputSender | null {
    return this.control ? this.#input : null;
  }
  get connection(): RTCPeerConnection | null {
    return this.#peer?.connection ?? null;
  }

  /** What the picture comes by. */
  get way(): Way | null {
    return this.#race.shown;
  }

  /** The page shows a picture of this track. */
  pictureShown(track: MediaStreamTrack): void {
    const peer = this.#peer;
    if (peer && peer.connection.getReceivers().some((receiver) => receiver.track === track))
      this.#takeOver(peer);
  }

  start(): void {
    if (this.#started)
      return;
    this.#started = true;
    this.#connect();
  }

  /** Messages wait until the page is there to show what they say. */
  deliver(): void {
    const waiting = this.#inbox ?? [];
    this.#inbox = null;
    for (const message of waiting)
      this.#handle(message);
  }

  /** The network changed or the machine woke up: finds out at once whether the session still lives. */
  nudge(): void {
    if (this.#state === "lost") {
      this.retryNow();
      return;
    }
    this.#race.nudge();
    if (this.#socket?.readyState === kOpen) {
      const asked = this.#clock.now();
      this.send({ type: "ping", t: asked });
      this.#pingTimer.start(kNudgePatience, () => {
        if (this.#lastHeard < asked)
          this.#lost("the server does not answer");
        else
          this.#schedulePing();
      });
    }
  }

  /** Tries at once instead of waiting: the network is back, or the user asks. */
  retryNow(): void {
    if (this.#state !== "lost" && this.#state !== "refused")
      return;
    this.#failures = 0;
    this.#retryTimer.cancel();
    this.#connect();
  }

  /** The user wants others: the session begins anew with them. */
  setTransports(transports: readonly Transport[]): void {
    this.#transports = transports;
    if (this.#state === "connecting" || this.#state === "connected")
      this.#connect();
    else
      this.retryNow();
  }

  send(message: ClientMessage): void {
    if (this.#socket?.readyState === kOpen && (this.#greeted || message.type === "hello"))
      this.#socket.send(JSON.stringify(message));
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    this.send({ type: "visible", value: visible });
    if (!visible)
      return;
    this.nudge();
    this.#peer?.hurry();
  }

  /** What the user says goes where the picture comes from. */
  setMicrophone(track: MediaStreamTrack | null): void {
    this.#microphone = track;
    this.#placeMicrophone();
  }

  #placeMicrophone(): void {
    const socket = this.#race.shown === "websocket";
    this.#peer?.setMicrophone(socket ? null : this.#microphone);
    this.#options.fallback?.setMicrophone(socket ? this.#microphone : null);
  }

  leave(): void {
    this.send({ type: "bye" });
  }

  #set(state: State, reason = "", retryAt: number | null = null): void {
    this.#state = state;
    this.emit("state", { state, reason, retryAt });
  }

  #connect(): void {
    this.#drop(true);
    this.#set("connecting");
    const make = this.#options.makeSocket ?? ((url, protocol) => {
      const socket = new WebSocket(url, protocol);
      socket.binaryType = "arraybuffer";
      return socket as SocketLike;
    });
    const socket = make(this.#options.url, kSubprotocol);
    const life = new AbortController();
    this.#socket = socket;
    this.#socketLife = life;
    let opened = false, told = "";
    this.#welcomeTimer.start(kWelcomePatience, () => this.#lost("the server does not answer"));
    socket.onopen = () => {
      opened = true;
      this.#lastHeard = this.#clock.now();
      if (this.#options.decodes)
        void this.#options.decodes().then((decodes) => this.#greet(socket, decodes));
      else
        this.#greet(socket, []);
      this.#input = new InputSender({
        get open() {
          return socket.readyState === kOpen;
        },
        get backlog() {
          return socket.bufferedAmount;
        },
        send: (bytes) => socket.send(bytes),
      }, life.signal, this.#clock, (record, at) => this.emit("numbered", { record, at }));
      this.#schedulePing();
    };
    socket.onmessage = (event) => {
      this.#lastHeard = this.#clock.now();
      if (typeof event.data !== "string")
        return;
      const parsed = parseServerMessage(event.data);
      if ("problem" in parsed) {
        this.#lost(parsed.problem);
      } else if (parsed.message && isError(parsed.message)) {
        told = parsed.message.message;
        if (!parsed.message.retry)
          this.#refuse(told);
      } else if (parsed.message) {
        if (this.#inbox)
          this.#inbox.push(parsed.message);
        else
          this.#handle(parsed.message);
      }
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket)
        return;
      if (event.code === kClosedAsRefused)
        this.#refuse(told || event.reason || "the server refused");
      else if (!opened && this.#options.probe)
        void this.#learnWhy(socket, this.#options.probe);
      else
        this.#lost(told || event.reason || (event.code === 1001 ? "the server ended" : "the connection broke"));
    };
  }

  #greet(socket: SocketLike, decodes: Codec[]): void {
    if (this.#socket !== socket || socket.readyState !== kOpen)
      return;
    const transports = this.#transports.filter((way) => way !== "websocket" || (this.#options.fallback && decodes.length > 0));
    this.send({
      type: "hello", version: kProtocolVersion, codecs: this.#options.codecs(), decodes, transports, client: this.#options.client, frames: true,
      ...(this.#resume ? { resume: this.#resume } : {}),
    });
    this.#greeted = true;
    if (!this.#visible)
      this.send({ type: "visible", value: false });
  }

  /** Browsers do not say how a WebSocket was refused; a plain request for the page is answered the same way. */
  async #learnWhy(socket: SocketLike, probe: () => Promise<ProbeAnswer>): Promise<void> {
    let answer: ProbeAnswer | null = null;
    try {
      answer = await probe();
    } catch {
      // Nobody there.
    }
    if (this.#socket !== socket)
      return;
    if (answer?.status === 401)
      this.#refuse("not signed in");
    else if (answer?.status === 403)
      this.#refuse(answer.text || "the server refused");
    else if (answer?.status === 429)
      this.#lost("too many failed attempts", 1000 * answer.retryAfter);
    else
      this.#lost(answer ? "the server does not accept the session" : "the server cannot be reached");
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case "welcome": {
        const welcome = message as Welcome;
        this.#welcomeTimer.cancel();
        this.peerId = welcome.peer;
        this.#resume = welcome.resume;
        this.role = welcome.role;
        this.#token = welcome.token;
        this.#race.begin({
          webrtc: welcome.transports.includes("webrtc"),
          websocket: welcome.transports.includes("websocket") && this.#options.fallback !== undefined,
        });
        this.emit("welcome", welcome);
        break;
      }
      case "offer":
        this.#accept(message as Offer);
        break;
      case "candidate": {
        const { candidate, mid } = message as { candidate: string; mid: string; type: string };
        void this.#peer?.addCandidate(candidate, mid);
        break;
      }
      case "ice-servers": {
        const { iceServers, iceTransportPolicy } = message as IceServers;
        const peer = this.#peer;
        // Make before break: a new connection through the servers, while the old one goes on.
        void peer?.configure({ iceServers, iceTransportPolicy }).then((relayed) => {
          if (relayed && this.#peer === peer)
            this.#askForOffer();
        });
        break;
      }
      case "path":
        if ((message as Path).alive)
          this.#race.webrtcStrong();
        else
          this.#race.webrtcWeak();
        break;
      case "pong":
        this.emit("roundTrip", this.#clock.now() - (message as Pong).t);
        this.emit("pong", { left: (message as Pong).t, came: this.#clock.now(), serverUs: (message as Pong).server });
        break;
      case "control": {
        const control = message as Control;
        if (this.control && !control.you)
          this.#input?.release();
        this.control = control.you;
        this.emit("control", control);
        break;
      }
      case "frames":
        this.emit("frames", message as Frames);
        break;
      case "control-asked":
        this.emit("controlAsked", message as ControlAsked);
        break;
      case "viewers":
        this.emit("viewers", (message as { count: number; type: string }).count);
        break;
      case "microphone":
        this.emit("microphone", message as MicrophoneAnswer);
        break;
      case "notice":
        this.emit("notice", message as Notice);
        break;
      default:
        if (message.type.startsWith("desktop/"))
          this.emit("desktop", message as DesktopMessage);
    }
  }

  /** Make before break: the old connection goes once the new one shows a picture. */
  #accept(offer: Offer): void {
    const before = this.#peer;
    const peer = this.#options.makePeer({ iceServers: offer.iceServers, iceTransportPolicy: offer.iceTransportPolicy });
    this.#peer = peer;
    if (before && !before.connected && this.#oldPeer) {
      before.close();  // the picture is that of the one before it
    } else if (before) {
      this.#oldPeer?.close();
      this.#oldPeer = before;
    }
    this.#placeMicrophone();
    this.#offer = offer.id;
    this.#offerTimer.cancel();
    this.#stopAsking();
    this.#race.offered();
    peer.on("answer", (sdp) => this.send({ type: "answer", id: offer.id, sdp }));
    peer.on("candidate", ({ candidate, mid }) => this.send({ type: "candidate", candidate, mid }));
    peer.on("track", (track) => this.emit("track", track));
    peer.on("channel", (way) => {
      if (this.#peer === peer)
        this.#input?.setChannel(way);
    });
    peer.on("connected", () => {
      if (this.#peer !== peer)
        return;
      this.#failures = 0;
      this.#race.webrtcStrong();
      if (this.#race.shown === null)
        this.#set("connected");
      // A hidden page gets no pictures: this is all there will be.
      if (this.#visible)
        this.#leavingTimer.start(kLeavingPatience, () => this.#takeOver(peer, false));
      else
        this.#takeOver(peer);
    });
    peer.on("weak", () => {
      if (this.#peer === peer)
        this.#race.webrtcWeak();
    });
    peer.on("failed", () => {
      if (this.#peer === peer) {
        if (this.#oldPeer?.connected) {
          peer.close();
          this.#peer = this.#oldPeer;
          this.#oldPeer = null;
        } else {
          this.#peer = null;
          this.#oldPeer?.close();
          this.#oldPeer = peer;
        }
        // Where the picture is still the old one's, the server offers another one.
        if (!this.#peer || this.#race.shown !== "webrtc")
          this.#race.webrtcFailed();
      } else if (this.#oldPeer === peer && this.#race.shown === "webrtc") {
        this.#race.webrtcWeak();
      }
    });
    void peer.accept(offer.sdp);
  }

  /** The new connection carries the picture; the old one is not needed any more. */
  #takeOver(peer: Peer, shown = true): void {
    if (this.#peer !== peer)
      return;
    this.#leavingTimer.cancel();
    this.#oldPeer?.close();
    this.#oldPeer = null;
    if (!shown)
      return;
    this.#race.webrtcShown();
    this.send({ type: "media-shown", id: this.#offer });
  }

  #renegotiate(): void {
    if (this.#race.shown === null)
      this.#set("connecting", "the media connection broke");
    this.#askForOffer(() => this.#offerTimer.start(kPatience, () => this.#race.webrtcFailed()));
  }

  /** The server takes one such request per second; if an offer comes before, there is nothing to ask for. */
  #askForOffer(asked?: () => void): void {
    const wait = this.#lastRenegotiation + kRenegotiateInterval - this.#clock.now();
    if (wait > 0) {
      this.#asked = asked ?? this.#asked;
      this.#askTimer.start(wait, () => this.#askForOffer());
      return;
    }
    asked ??= this.#asked;
    this.#asked = undefined;
    this.#lastRenegotiation = this.#clock.now();
    this.send({ type: "renegotiate", id: this.#offer });
    asked?.();
  }

  #stopAsking(): void {
    this.#askTimer.cancel();
    this.#asked = undefined;
  }

  #schedulePing(): void {
    this.#pingTimer.start(kPingInterval, () => {
      if (this.#clock.now() - this.#lastHeard > kSilence) {
        this.#lost("the server does not answer");
        return;
      }
      this.send({ type: "ping", t: this.#clock.now() });
      this.#peer?.hurry();
      this.#schedulePing();
    });
  }

  /** Ends the session. `freeze` leaves the media connection open, so that the last picture stays until there is a new one. */
  #drop(freeze = false): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#socketLife?.abort();
    this.#socketLife = null;
    this.#input = null;
    this.control = false;
    this.#pingTimer.cancel();
    this.#offerTimer.cancel();
    this.#stopAsking();
    this.#leavingTimer.cancel();
    this.#greeted = false;
    this.#offer = 0;
    this.#race.end();
    this.#welcomeTimer.cancel();
    if (this.#inbox)
      this.#inbox = [];
    const last = this.#peer ?? this.#oldPeer;
    if (this.#oldPeer !== last)
      this.#oldPeer?.close();
    this.#oldPeer = freeze ? last : null;
    if (!freeze)
      last?.close();
    this.#peer = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #lost(reason: string, least = 0): void {
    this.#drop(true);
    const most = Math.min(kRetryMost, kRetryFirst * 2 ** this.#failures++);
    // Many viewers of a server that restarts should not come back in step.
    const delay = Math.max(least, most * (0.75 + 0.25 * (this.#options.random ?? Math.random)()));
    this.#set("lost", reason, this.#clock.now() + delay);
    this.#retryTimer.start(delay, () => this.#connect());
  }

  #refuse(reason: string): void {
    this.#drop();
    this.#retryTimer.cancel();
    this.#set("refused", reason);
  }
}
