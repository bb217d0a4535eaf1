// SPDX-License-Identifier: LGPL-2.1-or-later
// AudioWorklets: one plays decoded sound as it comes, with a short buffer that never grows; one hands on what a microphone hears.
import { SoundBuffer } from "./sound-buffer";

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, type: typeof AudioWorkletProcessor): void;

class VitrineSound extends AudioWorkletProcessor {
  readonly #buffer = new SoundBuffer();

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<{ port: MessagePort }>) => {
      // The decoder's worker sends straight to us.
      event.data.port.onmessage = (sound: MessageEvent<Float32Array[]>) => this.#buffer.push(sound.data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    this.#buffer.pull(outputs[0] ?? []);
    return true;
  }
}

class VitrineTalk extends AudioWorkletProcessor {
  #port: MessagePort | null = null;

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<{ port: MessagePort }>) => {
      this.#port = event.data.port;
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const samples = inputs[0]?.[0]?.slice();
    if (samples)
      this.#port?.postMessage(samples, [samples.buffer]);
    return true;
  }
}

registerProcessor("vitrine-sound", VitrineSound);
registerProcessor("vitrine-talk", VitrineTalk);
