// SPDX-License-Identifier: LGPL-2.1-or-later
// One media connection: answers the server's offer and asks the browser for the lowest latency it gives.
import { type Clock, Emitter, Timer, systemClock } from "./events";
import type { InputWay } from "./input-sender";
import type { Codec, IceConfiguration } from "./messages";

export interface PeerEvents {
  answer: string;
  candidate: { candidate: string; mid: string };
  track: MediaStreamTrack;
  channel: InputWay | null;
  connected: undefined;
  /** Nothing comes at the moment; `connected` follows if it comes back, else `failed`. */
  weak: undefined;
  failed: string;
}

/** Not in TypeScript's DOM library yet. */
interface LowLatencyReceiver extends RTCRtpReceiver {
  playoutDelayHint?: number;
}

/** Codecs that this browser can play by WebRTC, in its own order. */
export function playableCodecs(): Codec[] {
  const known: Codec[] = ["H264", "VP8", "VP9", "AV1", "H265"];
  const listed = RTCRtpReceiver.getCapabilities?.("video")?.codecs.map((codec) => codec.mimeType.toUpperCase()) ?? [];
  return known.filter((codec) => listed.includes(`VIDEO/${codec}`))
    .sort((a, b) => listed.indexOf(`VIDEO/${a}`) - listed.indexOf(`VIDEO/${b}`));
}

/** A path that is gone this long does not come back by itself soon enough. */
const kBreakPatience = 1000;

/** The media sections of an offer in which the server wants to receive sound. */
export function receivingSections(sdp: string): string[] {
  return sdp.split(/^(?=m=)/m).filter((section) => section.startsWith("m=audio ") && /^a=recvonly\r?$/m.test(section))
    .map((section) => /^a=mid:(\S+)/m.exec(section)?.[1] ?? "");
}

export class Peer extends Emitter<PeerEvents> {
  readonly connection: RTCPeerConnection;
  readonly #breakTimer: Timer;
  #failed = false;
  #microphone: MediaStreamTrack | null = null;
  #talk: RTCRtpSender | null = null;

  constructor(ice: IceConfiguration, clock: Clock = systemClock) {
    super();
    this.#breakTimer = new Timer(clock);
    // Mostly without ICE servers: then the server is on the address by which the page was reached.
    this.connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", ...ice });
    this.connection.addEventListener("track", (event) => {
      this.#hurry(event.receiver);
      this.emit("track", event.track);
    });
    this.connection.addEventListener("icecandidate", (event) => {
      if (event.candidate)
        this.emit("candidate", { candidate: event.candidate.candidate, mid: event.candidate.sdpMid ?? "" });
    });
    this.connection.addEventListener("datachannel", (event) => this.#useChannel(event.channel));
    this.connection.addEventListener("connectionstatechange", () => {
      this.#breakTimer.cancel();
      if (this.connection.connectionState === "connected") {
        this.hurry();
        this.emit("connected", undefined);
      } else if (this.connection.connectionState === "failed") {
        this.#fail("the media connection broke");
      } else if (this.connection.connectionState === "disconnected") {
        this.emit("weak", undefined);
        this.#breakTimer.start(kBreakPatience, () => this.#fail("the media connection broke"));
      }
    });
  }

  get connected(): boolean {
    return this.connection.connectionState === "connected";
  }

  async accept(offer: string): Promise<void> {
    try {
      await this.connection.setRemoteDescription({ type: "offer", sdp: offer });
      const receiving = receivingSections(offer);
      const talk = receiving.length > 0 ? this.connection.getTransceivers().find(({ mid }) => mid !== null && receiving.includes(mid)) : undefined;
      if (talk) {
        // Agreed upon now, so that speaking later takes no other offer.
        talk.direction = "sendonly";
        this.#talk = talk.sender;
        await talk.sender.replaceTrack(this.#microphone);
      }
      const answer = await this.connection.createAnswer();
      await this.connection.setLocalDescription(answer);
      this.emit("answer", answer.sdp ?? "");
    } catch (error) {
      this.#fail(String(error));
    }
  }

  async addCandidate(candidate: string, mid: string): Promise<void> {
    try {
      await this.connection.addIceCandidate({ candidate, sdpMid: mid });
    } catch {
      // One that the browser cannot use: others may do.
    }
  }

  /** Other servers or credentials. True if the connection runs through one, and has to be made anew before the old ones expire. */
  async configure(ice: IceConfiguration): Promise<boolean> {
    try {
      this.connection.setConfiguration({ bundlePolicy: "max-bundle", ...ice });
      const reports: Record<string, unknown>[] = [];
      (await this.connection.getStats()).forEach((report: Record<string, unknown>) => reports.push(report));
      const transport = reports.find((r) => r["type"] === "transport");
      const pair = reports.find((r) => r["type"] === "candidate-pair" &&
        (r["id"] === transport?.["selectedCandidatePairId"] || r["selected"] === true));
      return reports.some((r) => r["id"] === pair?.["localCandidateId"] && r["candidateType"] === "relay");
    } catch {
      return false;  // closed meanwhile, or servers that this browser does not take
    }
  }

  /** Browsers forget the wish after a stall; asking again costs nothing. */
  hurry(): void {
    for (const receiver of this.connection.getReceivers())
      this.#hurry(receiver);
  }

  /** What the user says; null: nothing. */
  setMicrophone(track: MediaStreamTrack | null): void {
    this.#microphone = track;
    this.#talk?.replaceTrack(track).catch(() => {});
  }

  close(): void {
    this.#failed = true;
    this.#breakTimer.cancel();
    this.emit("channel", null);
    this.connection.close();
  }

  #hurry(receiver: LowLatencyReceiver): void {
    if (receiver.track.kind !== "video")
      return;
    if ("jitterBufferTarget" in receiver)
      receiver.jitterBufferTarget = 0;
    if ("playoutDelayHint" in receiver)
      receiver.playoutDelayHint = 0;
  }

  #useChannel(channel: RTCDataChannel): void {
    if (channel.label !== "input")
      return;
    const way: InputWay = {
      get open() {
        return channel.readyState === "open";
      },
      get backlog() {
        return channel.bufferedAmount;
      },
      send: (bytes) => channel.send(bytes),
    };
    this.emit("channel", way);
    channel.addEventListener("close", () => this.emit("channel", null));
  }

  #fail(reason: string): void {
    if (this.#failed)
      return;
    this.#failed = true;
    this.emit("failed", reason);
  }
}
