// SPDX-License-Identifier: LGPL-2.1-or-later
// The user's microphone: off until asked for, on once the browser and the server have agreed, off again when either takes it away.
import { Emitter } from "./events";
import { N_ } from "./text-mark";

/** Off, being asked for, or heard on the desktop. */
export type MicrophoneState = "off" | "asking" | "on";

export interface MicrophoneEvents {
  /** `problem`: why it is off, an English text that the page translates; "" if nobody has to know. */
  state: { state: MicrophoneState; problem: string };
  /** What is to be sent from now on. */
  track: MediaStreamTrack | null;
  /** The server is to be asked to let this viewer speak, or told that it has stopped. */
  ask: boolean;
}

export interface MicrophoneOptions {
  /** As of MediaDevices; undefined where pages may not ask. */
  devices: Pick<MediaDevices, "getUserMedia"> | undefined;
  secure: boolean;
}

/** Why there can be no microphone here; "" if there can. */
export function whyNoMicrophone({ devices, secure }: MicrophoneOptions): string {
  if (devices)
    return "";
  return secure ? N_("this browser has no microphone for pages") : N_("browsers give microphones to https pages and localhost only");
}

const kProblems: Record<string, string> = {
  NotAllowedError: N_("the browser was told not to give its microphone"),
  NotFoundError: N_("there is no microphone"),
  NotReadableError: N_("another program has the microphone"),
};
const kReasons: Record<string, string> = {
  control: N_("only who has control is heard"),
  forbidden: N_("the server takes no microphone"),
};

export class Microphone extends Emitter<MicrophoneEvents> {
  readonly #options: MicrophoneOptions;
  #track: MediaStreamTrack | null = null;
  #state: MicrophoneState = "off";
  #attempt = 0;
  /** Of the device wanted; "" is the browser's choice. */
  device = "";
  /** Without echo, noise and differences of loudness: for speech. Off, what is heard is what is there. */
  processing = true;

  constructor(options: MicrophoneOptions) {
    super();
    this.#options = options;
  }

  get state(): MicrophoneState {
    return this.#state;
  }

  /** By a user's gesture. */
  async start(): Promise<void> {
    const problem = whyNoMicrophone(this.#options), attempt = ++this.#attempt;
    if (problem || !this.#options.devices) {
      this.#set("off", problem);
      return;
    }
    this.#set("asking");
    try {
      const stream = await this.#options.devices.getUserMedia({
        audio: {
          ...(this.device ? { deviceId: { exact: this.device } } : {}), channelCount: 1, echoCancellation: this.processing,
          noiseSuppression: this.processing, autoGainControl: this.processing,
        },
      });
      const track = stream.getAudioTracks()[0];
      if (!track || attempt !== this.#attempt) {
        track?.stop();
        return;
      }
      this.#track?.stop();
      this.#track = track;
      track.addEventListener("ended", () => {
        if (this.#track === track)
          this.stop("the microphone is gone");
      });
      this.emit("track", track);
      this.emit("ask", true);
    } catch (error) {
      if (attempt === this.#attempt)
        this.stop(kProblems[(error as Error).name] ?? String(error));
    }
  }

  stop(problem = ""): void {
    const had = this.#track !== null;
    ++this.#attempt;
    this.#track?.stop();
    this.#track = null;
    if (had) {
      this.emit("track", null);
      this.emit("ask", false);
    }
    if (this.#state !== "off" || problem)
      this.#set("off", problem);
  }

  /** With another device or another processing, if it is on. */
  restart(): void {
    if (this.#state !== "off")
      void this.start();
  }

  /** A session begins, or goes on by another connection: who was heard is to be heard again. */
  resume(): void {
    if (this.#track)
      this.emit("ask", true);
  }

  /** What the server says of it. */
  answered(on: boolean, reason: string): void {
    if (on && this.#track)
      this.#set("on");
    else if (!on && this.#track)
      this.stop(kReasons[reason] ?? "");
  }

  #set(state: MicrophoneState, problem = ""): void {
    this.#state = state;
    this.emit("state", { state, problem });
  }
}
