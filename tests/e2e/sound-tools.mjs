// SPDX-License-Identifier: LGPL-2.1-or-later
// Hears what a page plays, sample by sample, and what a sound server plays; and says what there was to hear.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

export const rate = 48000;

/** To be run in a page before its own scripts: whatever it plays can be listened to by window.listen(), as it is handed to the loudspeaker. */
export function installEar() {
  window.graphs = [];
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode && !this.isEar) window.graphs.push(this);
    return connect.call(this, to, ...rest);
  };
  const worklet = `registerProcessor('ear', class extends AudioWorkletProcessor {
    process([input]) {
      this.port.postMessage([currentTime, input[0] ? input[0].slice() : new Float32Array(128)]);
      return true;
    }
  });`;
  const now = () => performance.timeOrigin + performance.now();

  /** A graph of the page's own: its blocks, and when they are to be heard. */
  const hearGraph = async (graph, blocks) => {
    const { context } = graph;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: 'text/javascript' })));
    const ear = new AudioWorkletNode(context, 'ear', { channelCount: 1, channelCountMode: 'explicit' });
    ear.isEar = true;
    ear.port.onmessage = ({ data: [at, samples] }) => {
      const { contextTime, performanceTime } = context.getOutputTimestamp();
      blocks.push({ samples, at: performance.timeOrigin + performanceTime + 1000 * (at - contextTime) });
    };
    graph.connect(ear);
    ear.connect(context.destination);  // it puts out silence, but only what leads there runs
    await context.resume();
  };

  /** A track, as it gives its samples: a connection's when the loudspeaker asks for them (a graph would buffer them once more), a microphone's at once. */
  const hearTrack = async (track, blocks) => {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 }).readable.getReader();
    // A piece comes to us late now and then, never early: of the last second the promptest tells when each was given.
    let count = 0, given = 0;
    const prompt = [];
    const take = async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const samples = new Float32Array(value.numberOfFrames);
        value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
        prompt.push(now() - given);
        if (prompt.length > 100) prompt.shift();
        blocks.push({ samples, at: given + Math.min(...prompt) });
        given += (1000 * value.numberOfFrames) / value.sampleRate;
        count++;
        value.close();
      }
    };
    take();
    while (count === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  window.microphones = [];
  const ask = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (...wanted) {
    const stream = await ask.apply(this, wanted);
    window.microphones.push(stream.getAudioTracks()[0]);
    return stream;
  };

  const ears = {};
  /** Starts to listen to what is played now, as the page plays it: by an element or by a graph of its own. Or to what the microphone hears. */
  window.listen = async (what = 'loudspeaker') => {
    const blocks = (ears[what] = []);
    if (what === 'microphone') {
      await hearTrack(window.microphones.at(-1), blocks);
    } else if (window.vitrine.way === 'websocket') {
      while (!window.graphs.length) await new Promise((resolve) => setTimeout(resolve, 10));
      await hearGraph(window.graphs.at(-1), blocks);
    } else {
      await hearTrack(document.getElementById('sound').srcObject.getAudioTracks()[0], blocks);
    }
  };
  /** What was heard since: samples, and times [number of a sample, ms of the system's clock when it was heard]. */
  window.heard = (what = 'loudspeaker') => {
    const taken = ears[what].splice(0), times = [];
    const samples = new Float32Array(taken.reduce((sum, block) => sum + block.samples.length, 0));
    let index = 0;
    for (const block of taken) {
      samples.set(block.samples, index);
      times.push([index, block.at]);
      index += block.samples.length;
    }
    const bytes = new Uint8Array(samples.buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { times, samples: btoa(text) };
  };
}

/** What a page heard since the last call. */
export async function heard(page, what) {
  const { times, samples } = await page.evaluate((ear) => window.heard(ear), what);
  const bytes = Buffer.from(samples, 'base64');
  return { times, samples: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
}

/** Records a source of a sound server. `heard()` returns what came since the last call, as for a page. */
export function record(stage, address, source) {
  const child = spawn('parec', ['-d', source, '--format=float32le', '--channels=1', `--rate=${rate}`, '--latency-msec=5', '--raw'],
    { env: { ...process.env, PULSE_SERVER: address }, stdio: ['ignore', 'pipe', 'ignore'] });
  stage.defer(() => child.kill('SIGKILL'));
  let chunks = [], last = 0;
  child.stdout.on('data', (data) => {
    last = performance.timeOrigin + performance.now();
    chunks.push(data);
  });
  return {
    child,
    heard() {
      const bytes = Buffer.concat(chunks.splice(0));
      const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)));
      return { times: [[0, last - (1000 * samples.length) / rate]], samples };
    },
  };
}

/** Frequency by zero crossings, between the first and the last; Hz. */
function crossingsPerSecond(samples) {
  let crossings = 0, first = -1, last = -1;
  for (let i = 1; i < samples.length; i++)
    if (samples[i - 1] < 0 && samples[i] >= 0) {
      const at = i - samples[i] / (samples[i] - samples[i - 1]);
      if (first < 0) first = at;
      else crossings++;
      last = at;
    }
  return crossings ? (crossings * rate) / (last - first) : 0;
}

/** The frequency of a tone, whatever gaps it has: the median of stretches of 50 ms; Hz. */
export function frequency(samples) {
  const length = rate / 20;
  return median(Array.from({ length: Math.floor(samples.length / length) }, (_, i) => crossingsPerSecond(samples.subarray(i * length, (i + 1) * length))));
}

export const loudest = (samples) => samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** How much of a tone is missing: stretches of more than 2.5 ms without a sample above a tenth of the amplitude. In ms each. */
export function dropouts(samples) {
  const amplitude = [...samples].map(Math.abs).sort((a, b) => a - b)[Math.floor(samples.length * 0.95)];
  const found = [];
  let quiet = 0;
  for (let i = 0; i <= samples.length; i++) {
    if (i < samples.length && Math.abs(samples[i]) < amplitude / 10) quiet++;
    else {
      if (quiet > 0.0025 * rate) found.push((1000 * quiet) / rate);
      quiet = 0;
    }
  }
  return found;
}

/** When each of several sounds with silence between them began, in ms of the system's clock. */
export function onsets({ times, samples }, threshold = 0.05, pauseMs = 100) {
  const found = [];
  let quiet = Infinity, block = 0;
  samples.forEach((value, i) => {
    if (Math.abs(value) < threshold) {
      quiet++;
      return;
    }
    if (quiet > (pauseMs * rate) / 1000) {
      while (times[block + 1]?.[0] <= i) block++;
      found.push(times[block][1] + (1000 * (i - times[block][0])) / rate);
    }
    quiet = 0;
  });
  return found;
}

export const total = (values) => values.reduce((sum, value) => sum + value, 0);
export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Differences between each time of `later` and the one of `earlier` that is nearest to it. */
export function offsets(later, earlier, most = 450) {
  return later.map((time) => earlier.map((other) => time - other).sort((a, b) => Math.abs(a) - Math.abs(b))[0])
    .filter((difference) => difference !== undefined && Math.abs(difference) < most);
}

/** Ten seconds of sound as a WAV file, which Chromium's microphone hears again and again. `wave` gives each sample from its time in seconds, -1 to 1. */
export function writeWave(file, wave) {
  const count = 10 * rate, bytes = Buffer.alloc(44 + 2 * count);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + 2 * count, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(2 * rate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(2 * count, 40);
  for (let i = 0; i < count; i++) bytes.writeInt16LE(Math.round(32767 * wave(i / rate)), 44 + 2 * i);
  writeFileSync(file, bytes);
}

export const tone = (hertz) => (seconds) => 0.5 * Math.sin(2 * Math.PI * hertz * seconds);
/** 40 ms of a tone at the beginning of every second. */
export const ticks = (hertz) => (seconds) => (seconds % 1 < 0.04 ? tone(hertz)(seconds) : 0);
