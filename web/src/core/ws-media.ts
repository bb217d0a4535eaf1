// SPDX-License-Identifier: LGPL-2.1-or-later
// Media by WebSocket as the page sees it: a worker that draws, and sound.
import { Emitter } from "./events";
import type { Stats } from "./stats";
import type { FromWorker, ToWorker, WorkerFigures } from "./ws-worker";

export interface WsFrame {
  width: number;
  height: number;
  rtpTime: number;
  captureUs: number;
  /** Drawn, and before that received and decoded; ms of the page's clock. */
  at: number;
  receivedAt: number;
  decodedAt: number;
  codec: string;
}

export interface WsMediaEvents {
  frame: WsFrame;
  closed: string;
  /** The browser wants a click before it plays sound. */
  soundBlocked: undefined;
}

export interface WsMediaOptions {
  worker: string;
  soundWorklet: string;
  /** The canvas to draw on; asked for once. */
  canvas: () => OffscreenCanvas;
}

interface SinkContext extends AudioContext {
  setSinkId?(id: string): Promise<void>;
}

export class WsMedia extends Emitter<WsMediaEvents> {
  readonly #options: WsMediaOptions;
  #worker: Worker | null = null;
  #life = 0;
  #open = false;
  #audio: AudioContext | null = null;
  #loudness: GainNode | null = null;
  #volume = 1;
  #sink = "";
  #talk: { context: AudioContext; track: MediaStreamTrack } | null = null;
  #frame: WsFrame | null = null;
  #figures: WorkerFigures = { frames: 0, bytes: 0, dropped: 0, decoding: 0, waiting: 0 };
  #last: { at: number; figures: WorkerFigures } | null = null;

  constructor(options: WsMediaOptions) {
    super();
    this.#options = options;
  }

  open(url: string, token: string): void {
    const worker = (this.#worker ??= this.#start());
    this.#open = true;
    this.#last = null;
    worker.postMessage({ type: "open", url, token, life: ++this.#life } satisfies ToWorker);
  }

  close(): void {
    if (!this.#open)
      return;
    this.#open = false;
    this.#frame = null;
    this.#worker?.postMessage({ type: "close" } satisfies ToWorker);
    void this.#audio?.close();
    this.#audio = null;
  }

  /** From 0 to 1. */
  setVolume(volume: number): void {
    this.#volume = volume;
    if (this.#loudness)
      this.#loudness.gain.value = volume;
  }

  /** Where sound goes, where the browser lets one choose; "" is its own choice. */
  setSink(id: string): void {
    this.#sink = id;
    if (this.#audio)
      this.#useSink(this.#audio);
  }

  setMicrophone(track: MediaStreamTrack | null): void {
    if (this.#talk?.track === track)
      return;
    if (this.#talk) {
      void this.#talk.context.close();
      this.#worker?.postMessage({ type: "talk", port: null } satisfies ToWorker);
    }
    this.#talk = null;
    if (track)
      void this.#startTalk(track);
  }

  #useSink(audio: SinkContext): void {
    audio.setSinkId?.(this.#sink).catch(() => {});
  }

  /** The track's samples go to the worker, which has the socket. */
  async #startTalk(track: MediaStreamTrack): Promise<void> {
    const context = new AudioContext({ sampleRate: 48000, latencyHint: "interactive" });
    this.#talk = { context, track };
    try {
      await context.audioWorklet.addModule(this.#options.soundWorklet);
      if (this.#talk?.context !== context)
        return;
      const node = new AudioWorkletNode(context, "vitrine-talk", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      context.createMediaStreamSource(new MediaStream([track])).connect(node);
      const way = new MessageChannel();
      node.port.postMessage({ port: way.port1 }, [way.port1]);
      this.#worker?.postMessage({ type: "talk", port: way.port2 } satisfies ToWorker, [way.port2]);
    } catch {
      // Nothing is said then.
    }
  }

  /** After a click: the sound that was blocked. */
  resumeSound(): void {
    void this.#audio?.resume();
  }

  /** Figures since the last call; null while there is no picture. `roundTrip` is that of the session, ms. */
  measure(at: number, roundTrip: number | null): Stats | null {
    const frame = this.#frame, now = this.#figures;
    if (!frame)
      return null;
    const last = this.#last && this.#last.figures.frames <= now.frames ? this.#last : null;
    this.#last = { at, figures: now };
    const seconds = last ? (at - last.at) / 1000 : 0;
    const since = (name: keyof WorkerFigures) => now[name] - (last?.figures[name] ?? 0);
    const drawn = since("frames");
    return {
      fps: seconds > 0 ? drawn / seconds : 0,
      bitrate: seconds > 0 ? (8 * since("bytes")) / 1000 / seconds : 0,
      roundTrip, transport: "websocket", codec: frame.codec, width: frame.width, height: frame.height,
      jitterBuffer: drawn > 0 ? since("waiting") / drawn : 0, decode: drawn > 0 ? since("decoding") / drawn : 0,
      framesDropped: now.dropped, freezes: 0, packetsLost: 0,
    };
  }

  #start(): Worker {
    const worker = new Worker(this.#options.worker, { type: "module" });
    const canvas = this.#options.canvas();
    worker.postMessage({ type: "canvas", canvas } satisfies ToWorker, [canvas]);
    worker.onmessage = (event: MessageEvent<FromWorker>) => this.#handle(event.data);
    worker.onerror = () => {
      if (this.#open)
        this.emit("closed", "the decoder's worker does not run");
    };
    return worker;
  }

  #handle(message: FromWorker): void {
    if (!this.#open || message.life !== this.#life)
      return;
    switch (message.type) {
      case "frame": {
        const { width, height, rtpTime, captureUs, codec } = message;
        const ours = (at: number) => at - performance.timeOrigin;
        this.#figures = message.figures;
        this.#frame = {
          width, height, rtpTime, captureUs, at: ours(message.at), receivedAt: ours(message.receivedAt), decodedAt: ours(message.decodedAt), codec,
        };
        this.emit("frame", this.#frame);
        break;
      }
      case "audio":
        void this.#startSound(message.channels);
        break;
      case "closed":
        this.#open = false;
        this.#frame = null;
        void this.#audio?.close();
        this.#audio = null;
        this.emit("closed", message.reason);
        break;
    }
  }

  async #startSound(channels: number): Promise<void> {
    void this.#audio?.close();
    const audio = new AudioContext({ sampleRate: 48000, latencyHint: "interactive" });
    this.#audio = audio;
    try {
      await audio.audioWorklet.addModule(this.#options.soundWorklet);
      if (this.#audio !== audio)
        return;
      const node = new AudioWorkletNode(audio, "vitrine-sound", { numberOfInputs: 0, outputChannelCount: [channels] });
      this.#loudness = new GainNode(audio, { gain: this.#volume });
      node.connect(this.#loudness).connect(audio.destination);
      if (this.#sink)
        this.#useSink(audio);
      const way = new MessageChannel();
      node.port.postMessage({ port: way.port1 }, [way.port1]);
      this.#worker?.postMessage({ type: "sound", port: way.port2 } satisfies ToWorker, [way.port2]);
      if (audio.state === "suspended")
        this.emit("soundBlocked", undefined);
    } catch {
      // A picture without sound is better than none.
    }
  }
}
