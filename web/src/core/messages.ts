// SPDX-License-Identifier: LGPL-2.1-or-later
// Session messages (docs/protocol.md, section 2): their types, and a parser that trusts nothing the server says.

export const kProtocolVersion = 1;
export const kSubprotocol = "vitrine.1";
export const kMessageMax = 65536;

export type Role = "control" | "view";
export type Codec = "H264" | "VP8" | "VP9" | "AV1" | "H265";
/** What carries media. */
export type Transport = "webrtc" | "websocket";
export type MediaKind = "video" | "audio";

export type ClientMessage =
  | { type: "hello"; version: number; codecs: Codec[]; decodes: Codec[]; transports: Transport[]; client?: string; name?: string; resume?: string; frames?: boolean }
  | { type: "answer"; id: number; sdp: string }
  | { type: "candidate"; candidate: string; mid?: string }
  | { type: "ping"; t: number }
  | { type: "keyframe" }
  | { type: "visible"; value: boolean }
  | { type: "renegotiate"; id: number }
  | { type: "media-shown"; id: number }
  | { type: "control-request" }
  | { type: "control-release" }
  | { type: "control-answer"; peer: string; granted: boolean }
  | { type: "microphone"; on: boolean }
  | { type: "bye" }
  | LatencyReport
  | DesktopMessage;

/** A message for or from the desktop elements; its members are theirs. */
export interface DesktopMessage {
  type: `desktop/${string}`;
  [member: string]: unknown;
}

export interface Welcome {
  type: "welcome";
  version: number;
  peer: string;
  /** Shown by the next hello, it says that it is still us. */
  resume: string;
  role: Role;
  title: string;
  server: string;
  media: { kind: MediaKind; codec: string }[];
  transports: Transport[];
  /** For the media socket; empty without one. */
  token: string;
  files: FilesOffer;
  /** This viewer may be heard on the desktop while it holds control. */
  microphone: boolean;
}
/** What of files this viewer may do. */
export interface FilesOffer {
  /** Bytes that a file may have which it sends; 0: none are taken. */
  upload: number;
  download: boolean;
}
/** STUN and TURN servers, and whether only TURN may be used: what RTCPeerConnection takes. */
export interface IceConfiguration {
  iceServers: { urls: string[]; username?: string; credential?: string }[];
  iceTransportPolicy: "all" | "relay";
}
export interface Offer extends IceConfiguration { type: "offer"; id: number; sdp: string }
export interface IceServers extends IceConfiguration { type: "ice-servers" }
export interface Candidate { type: "candidate"; candidate: string; mid: string }
/** Whether anything of this viewer comes back on the media connection, as the server sees it. */
export interface Path { type: "path"; alive: boolean }
export interface Pong { type: "pong"; t: number; server: number }
export interface Control { type: "control"; holder: string | null; you: boolean; name: string }
export interface ControlAsked { type: "control-asked"; peer: string; name: string }
export interface Viewers { type: "viewers"; count: number }
/** When the server did what with a frame. */
export interface FrameTiming {
  id: number;
  /** As the browser tells it of the frame. */
  rtpTime: number;
  /** Server's monotonic clock, µs. */
  captureUs: number;
  /** µs after the capture: at the encoder (0: unknown), out of it, last byte handed to the network. */
  pictureUs: number;
  encodedUs: number;
  sentUs: number;
  /** Sequence number of the first input that it may answer, 0 if none, and µs from handing that to the desktop to the capture. */
  input: number;
  sinceInjectionUs: number;
}
export interface Frames { type: "frames"; way: Transport; frames: FrameTiming[] }
/** Of each frame: id, then µs after its capture by the server's clock: received, decoded (0: unknown), presented; µs since the input that it answers. */
export interface LatencyReport { type: "latency"; sure: boolean; uncertainty: number; frames: number[][] }
/** With a topic it stays until another one on that topic comes; an empty text takes it away. */
export interface Notice { type: "notice"; level: "info" | "warning" | "error"; text: string; topic: string }
/** Whether this viewer is heard; if not, `reason` is "control", "forbidden" or empty. */
export interface MicrophoneAnswer { type: "microphone"; on: boolean; reason: string }
export interface ServerError { type: "error"; code: string; message: string; retry: boolean }

export type ServerMessage =
  | Welcome | Offer | IceServers | Candidate | Path | Pong | Control | ControlAsked | Viewers | Notice | MicrophoneAnswer | Frames | ServerError | DesktopMessage;

/** `message` null: an unknown type, to be ignored. */
export type Parsed = { message: ServerMessage | null } | { problem: string };

const kNameMax = 64;
const kTextMax = 1000;
const kCredentialMax = 1024;
const kFramesMax = 256;

class Malformed extends Error {}

/** Reads members of one message and says which one is wrong. */
class Members {
  constructor(readonly type: string, readonly object: Record<string, unknown>) {}

  #own(name: string): unknown {
    return Object.prototype.hasOwnProperty.call(this.object, name) ? this.object[name] : undefined;
  }

  string(name: string, most = kMessageMax): string {
    const value = this.#own(name);
    if (typeof value !== "string")
      throw new Malformed(`${this.type}.${name} is not a string`);
    return value.length > most ? value.slice(0, most) : value;
  }

  optionalString(name: string, most = kNameMax): string {
    return this.#own(name) === undefined ? "" : this.string(name, most);
  }

  number(name: string): number {
    const value = this.#own(name);
    if (typeof value !== "number" || !Number.isFinite(value))
      throw new Malformed(`${this.type}.${name} is not a number`);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#own(name);
    if (typeof value !== "boolean")
      throw new Malformed(`${this.type}.${name} is not a boolean`);
    return value;
  }

  optionalBoolean(name: string, otherwise: boolean): boolean {
    return this.#own(name) === undefined ? otherwise : this.boolean(name);
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const value = this.string(name);
    const found = values.find((known) => known === value);
    if (found === undefined)
      throw new Malformed(`${this.type}.${name} is none of ${values.join(", ")}`);
    return found;
  }

  nullableString(name: string): string | null {
    return this.#own(name) === null ? null : this.string(name, kNameMax);
  }

  /** None if the server says nothing of them. */
  iceConfiguration(): IceConfiguration {
    const value = this.#own("iceServers") ?? [];
    if (!Array.isArray(value) || value.length > 16)
      throw new Malformed(`${this.type}.iceServers is not a short array`);
    return {
      iceServers: value.map((entry: unknown) => {
        if (typeof entry !== "object" || entry === null || Array.isArray(entry))
          throw new Malformed(`${this.type}.iceServers holds something that is not an object`);
        const members = new Members(`${this.type}.iceServers`, entry as Record<string, unknown>);
        const urls = members.#own("urls");
        if (!Array.isArray(urls) || urls.length > 16 || !urls.every((url) => typeof url === "string"))
          throw new Malformed(`${this.type}.iceServers.urls is no short array of strings`);
        const username = members.optionalString("username", kCredentialMax), credential = members.optionalString("credential", kCredentialMax);
        return username ? { urls, username, credential } : { urls };
      }),
      iceTransportPolicy: this.#own("iceTransportPolicy") === undefined ? "all" : this.oneOf("iceTransportPolicy", ["all", "relay"] as const),
    };
  }

  /** An older server says nothing: it has WebRTC only. */
  transports(name: string): Transport[] {
    const value = this.#own(name) ?? ["webrtc"];
    if (!Array.isArray(value) || value.length > 16)
      throw new Malformed(`${this.type}.${name} is not a short array`);
    return (["webrtc", "websocket"] as const).filter((known) => value.includes(known));
  }

  frames(name: string, baseUs: number): FrameTiming[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > kFramesMax)
      throw new Malformed(`${this.type}.${name} is not a short array`);
    return value.map((row: unknown) => {
      if (!Array.isArray(row) || (row.length !== 6 && row.length !== 8) || !row.every(Number.isSafeInteger))
        throw new Malformed(`${this.type}.${name} holds something that is not a frame`);
      const [id, rtpTime, capture, pictureUs, encodedUs, sentUs, input = 0, sinceInjectionUs = 0] = row as [number, number, number, number, number, number, number?, number?];
      return { id, rtpTime, captureUs: baseUs + capture, pictureUs, encodedUs, sentUs, input, sinceInjectionUs };
    });
  }

  /** Nothing of files if the server says nothing. */
  files(name: string): FilesOffer {
    const value = this.#own(name) ?? {};
    if (typeof value !== "object" || Array.isArray(value))
      throw new Malformed(`${this.type}.${name} is not an object`);
    const members = new Members(`${this.type}.${name}`, value as Record<string, unknown>);
    const upload = members.#own("upload") === undefined ? 0 : members.number("upload");
    return { upload: Math.max(0, upload), download: members.optionalBoolean("download", false) };
  }

  media(name: string): Welcome["media"] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > 16)
      throw new Malformed(`${this.type}.${name} is not a short array`);
    return value.map((entry: unknown) => {
      if (typeof entry !== "object" || entry === null || Array.isArray(entry))
        throw new Malformed(`${this.type}.${name} holds something that is not an object`);
      const members = new Members(`${this.type}.${name}`, entry as Record<string, unknown>);
      return { kind: members.oneOf("kind", ["video", "audio"] as const), codec: members.string("codec", kNameMax) };
    });
  }
}

const kReaders: Record<string, (members: Members) => ServerMessage> = {
  "welcome": (m) => ({
    type: "welcome", version: m.number("version"), peer: m.string("peer", kNameMax), resume: m.optionalString("resume"),
    role: m.oneOf("role", ["control", "view"] as const), title: m.string("title", 200),
    server: m.string("server", 200), media: m.media("media"),
    transports: m.transports("transports"), token: m.optionalString("token"), files: m.files("files"),
    microphone: m.optionalBoolean("microphone", false),
  }),
  "offer": (m) => ({ type: "offer", id: m.number("id"), sdp: m.string("sdp"), ...m.iceConfiguration() }),
  "ice-servers": (m) => ({ type: "ice-servers", ...m.iceConfiguration() }),
  "candidate": (m) => ({ type: "candidate", candidate: m.string("candidate"), mid: m.string("mid") }),
  "path": (m) => ({ type: "path", alive: m.boolean("alive") }),
  "pong": (m) => ({ type: "pong", t: m.number("t"), server: m.number("server") }),
  "control": (m) => ({
    type: "control", holder: m.nullableString("holder"), you: m.boolean("you"), name: m.optionalString("name"),
  }),
  "control-asked": (m) => ({
    type: "control-asked", peer: m.string("peer", kNameMax), name: m.optionalString("name"),
  }),
  "viewers": (m) => ({ type: "viewers", count: Math.max(0, Math.floor(m.number("count"))) }),
  "frames": (m) => ({ type: "frames", way: m.oneOf("way", ["webrtc", "websocket"] as const), frames: m.frames("frames", m.number("base")) }),
  "notice": (m) => ({
    type: "notice", level: m.oneOf("level", ["info", "warning", "error"] as const), text: m.string("text", kTextMax),
    topic: m.optionalString("topic"),
  }),
  "microphone": (m) => ({ type: "microphone", on: m.boolean("on"), reason: m.optionalString("reason") }),
  "error": (m) => ({
    type: "error", code: m.string("code", kNameMax), message: m.string("message", kTextMax),
    retry: m.optionalBoolean("retry", true),
  }),
};

/** Reads one text frame of the server. Never throws. */
export function parseServerMessage(text: string): Parsed {
  if (text.length > kMessageMax)
    return { problem: `a message of ${text.length} characters is too long` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "a message is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { problem: "a message is not an object" };
  const object = value as Record<string, unknown>;
  const type = Object.prototype.hasOwnProperty.call(object, "type") ? object["type"] : undefined;
  if (typeof type !== "string")
    return { problem: "a message has no type" };
  if (type.startsWith("desktop/"))
    return { message: object as unknown as DesktopMessage };
  const read = Object.prototype.hasOwnProperty.call(kReaders, type) ? kReaders[type] : undefined;
  if (!read)
    return { message: null };
  try {
    return { message: read(new Members(type, object)) };
  } catch (error) {
    if (error instanceof Malformed)
      return { problem: error.message };
    throw error;
  }
}
