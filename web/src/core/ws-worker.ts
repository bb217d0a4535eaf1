// SPDX-License-Identifier: LGPL-2.1-or-later
// The worker behind media by WebSocket: reads and acknowledges frames, decodes them, draws the newest one.
import { type Streams, parseStreams, videoConfig } from "./decoder-config";
import { type Frame, type FrameAck, decodeFrame, encodeAcks, encodeTalk } from "./frame-record";
import { SoundDecoder } from "./sound-decoder";
import { TalkLine } from "./talk-encoder";

export type ToWorker =
  | { type: "canvas"; canvas: OffscreenCanvas }
  | { type: "sound"; port: MessagePort }
  | { type: "talk"; port: MessagePort | null }
  | { type: "open"; url: string; token: string; life: number }
  | { type: "close" };

export interface WorkerFigures {
  frames: number;
  bytes: number;
  dropped: number;
  /** Sums over the frames drawn, ms: in the decoder, and from there to the canvas. */
  decoding: number;
  waiting: number;
}
export type FromWorker =
  | { type: "closed"; life: number; reason: string }
  | {
    type: "frame"; life: number; width: number; height: number; rtpTime: number; captureUs: number;
    /** performance.timeOrigin + performance.now(). */
    at: number; receivedAt: number; decodedAt: number; codec: string; figures: WorkerFigures;
  }
  | { type: "audio"; life: number; channels: number };

interface Scope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  requestAnimationFrame?(run: () => void): number;
}
const scope = globalThis as unknown as Scope;
const kSubprotocol = "vitrine-media.1";
/** Asking for a keyframe again is of no use sooner. */
const kKeyframeInterval = 500;

let canvas: OffscreenCanvas | null = null;
let context: OffscreenCanvasRenderingContext2D | null = null;
let sound: MessagePort | null = null;
let link: Link | null = null;
const talk = new TalkLine((packet) => link?.talk(packet));
/** What a socket that cannot keep up holds back of the microphone; more is late. */
const kTalkBacklog = 16384;

/** One media socket, from its opening to its end. */
class Link {
  readonly #socket: WebSocket;
  readonly #life: number;
  #streams: Streams = { video: null, audio: null };
  #video: VideoDecoder | null = null;
  readonly #audio = new SoundDecoder((data) => this.#play(data));
  #config = "";
  #needKey = true;
  #askedAt = -Infinity;
  #entered = new Map<number, { frame: Pick<Frame, "rtpTime" | "captureUs">; at: number }>();
  #newest: { picture: VideoFrame; rtpTime: number; captureUs: number; receivedAt: number; decodedAt: number } | null = null;
  #drawing = false;
  #acks: FrameAck[] = [];
  #ended = false;
  readonly #figures: WorkerFigures = { frames: 0, bytes: 0, dropped: 0, decoding: 0, waiting: 0 };

  constructor(url: string, token: string, life: number) {
    this.#life = life;
    this.#socket = new WebSocket(url, kSubprotocol);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#socket.send(JSON.stringify({ type: "attach", token }));
    this.#socket.onmessage = (event: MessageEvent<unknown>) => {
      if (typeof event.data === "string")
        this.#configure(event.data);
      else
        this.#take(event.data as ArrayBuffer);
    };
    this.#socket.onclose = (event) => this.end(event.reason || "the media socket broke");
  }

  end(reason: string): void {
    if (this.#ended)
      return;
    this.#ended = true;
    this.#socket.onclose = this.#socket.onmessage = this.#socket.onopen = null;
    this.#socket.close();
    if (this.#video && this.#video.state !== "closed")
      this.#video.close();
    this.#audio.stop();
    this.#newest?.picture.close();
    this.#newest = null;
    scope.postMessage({ type: "closed", life: this.#life, reason });
  }

  talk(packet: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount < kTalkBacklog)
      this.#socket.send(encodeTalk(packet));
  }

  #configure(text: string): void {
    const streams = parseStreams(text);
    if (!streams)
      return;
    this.#streams = streams;
    this.#lose(false);
    this.#audio.stop();
    if (streams.audio && this.#audio.start(streams.audio.channels))
      scope.postMessage({ type: "audio", life: this.#life, channels: streams.audio.channels });
  }

  #take(message: ArrayBuffer): void {
    const frame = decodeFrame(message);
    if (!frame) {
      this.end("the server sent something that is no frame");
      return;
    }
    this.#figures.bytes += message.byteLength;
    this.#acknowledge(frame);
    if (frame.kind === "video")
      this.#decode(frame);
    else
      this.#audio.decode(frame);
  }

  /** At once; frames that came together, with one message. */
  #acknowledge(frame: Frame): void {
    this.#acks.push({
      id: frame.id, nonce: frame.nonce, receivedUs: 1000 * performance.now(), queue: this.#video?.decodeQueueSize ?? 0,
    });
    if (this.#acks.length > 1)
      return;
    queueMicrotask(() => {
      if (this.#socket.readyState === WebSocket.OPEN)
        this.#socket.send(encodeAcks(this.#acks));
      this.#acks = [];
    });
  }

  #decode(frame: Frame): void {
    if (!this.#streams.video || (this.#needKey && !frame.key)) {
      this.#figures.dropped++;
      this.#ask();
      return;
    }
    try {
      if (frame.key) {
        const config = videoConfig(this.#streams.video, frame.payload);
        if (!config)
          throw new Error("a keyframe without parameter sets");
        const text = JSON.stringify(config);
        if (!this.#video || text !== this.#config) {
          this.#lose(false);
          this.#video = new VideoDecoder({
            output: (picture) => this.#show(picture),
            error: () => this.#lose(true),
          });
          this.#video.configure(config);
          this.#config = text;
        }
        this.#needKey = false;
      }
      this.#entered.set(frame.id, { frame: { rtpTime: frame.rtpTime, captureUs: frame.captureUs }, at: performance.now() });
      this.#video?.decode(new EncodedVideoChunk({ type: frame.key ? "key" : "delta", timestamp: frame.id, data: frame.payload }));
    } catch {
      this.#lose(true);
    }
  }

  /** The decoder is of no use any more: another one starts with the next keyframe. */
  #lose(ask: boolean): void {
    if (this.#video && this.#video.state !== "closed")
      this.#video.close();
    this.#video = null;
    this.#config = "";
    this.#needKey = true;
    this.#entered.clear();
    if (ask)
      this.#ask();
  }

  #ask(): void {
    const now = performance.now();
    if (now - this.#askedAt < kKeyframeInterval || this.#socket.readyState !== WebSocket.OPEN)
      return;
    this.#askedAt = now;
    this.#socket.send(JSON.stringify({ type: "keyframe" }));
  }

  #show(picture: VideoFrame): void {
    const now = performance.now(), entered = this.#entered.get(picture.timestamp);
    for (const id of this.#entered.keys()) {
      if (id > picture.timestamp)
        break;
      this.#entered.delete(id);
    }
    this.#figures.frames++;
    if (entered)
      this.#figures.decoding += now - entered.at;
    if (this.#newest) {
      this.#newest.picture.close();
      this.#figures.dropped++;
    }
    this.#newest = { picture, rtpTime: entered?.frame.rtpTime ?? 0, captureUs: entered?.frame.captureUs ?? 0, receivedAt: entered?.at ?? now, decodedAt: now };
    if (this.#drawing)
      return;
    this.#drawing = true;
    if (scope.requestAnimationFrame)
      scope.requestAnimationFrame(() => this.#draw());
    else
      setTimeout(() => this.#draw(), 0);
  }

  #draw(): void {
    this.#drawing = false;
    const newest = this.#newest;
    this.#newest = null;
    if (!newest)
      return;
    const { picture, rtpTime, captureUs, receivedAt, decodedAt } = newest;
    const width = picture.displayWidth, height = picture.displayHeight;
    if (canvas && context) {
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      context.drawImage(picture, 0, 0, width, height);
    }
    picture.close();
    const at = performance.now();
    this.#figures.waiting += at - decodedAt;
    scope.postMessage({
      type: "frame", life: this.#life, width, height, rtpTime, captureUs, at: performance.timeOrigin + at,
      receivedAt: performance.timeOrigin + receivedAt, decodedAt: performance.timeOrigin + decodedAt, codec: this.#streams.video?.codec ?? "", figures: { ...this.#figures },
    });
  }

  #play(data: AudioData): void {
    const channels = Array.from({ length: data.numberOfChannels }, (_, i) => {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: i, format: "f32-planar" });
      return samples;
    });
    data.close();
    sound?.postMessage(channels, channels.map((samples) => samples.buffer));
  }
}

scope.onmessage = (event) => {
  const message = event.data;
  switch (message.type) {
    case "canvas":
      canvas = message.canvas;
      context = canvas.getContext("2d", { alpha: false, desynchronized: true });
      break;
    case "sound":
      sound = message.port;
      break;
    case "talk":
      talk.take(message.port);
      break;
    case "open":
      link?.end("another one takes over");
      link = new Link(message.url, message.token, message.life);
      break;
    case "close":
      link?.end("not needed any more");
      link = null;
      break;
  }
};
