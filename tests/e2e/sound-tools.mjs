// SPDX-License-Identifier: LGPL-2.1-or-later
// Hears what a page plays, sample by sample, and what a sound server plays; and says what there was to hear.
import { spawn } from 'node:child_process';

export const rate = 48000;

/** To be run in a page before its own scripts: whatever it plays can be listened to by window.listen(). */
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
  /** Starts to listen to what is played now, as the page plays it: by an element or by a graph of its own. */
  window.listen = async () => {
    const graph = window.vitrine.way === 'websocket' ? window.graphs.at(-1) : null;
    const context = graph?.context ?? new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: 'text/javascript' })));
    const source = graph ?? context.createMediaStreamSource(document.getElementById('sound').srcObject);
    const ear = new AudioWorkletNode(context, 'ear', { channelCount: 1, channelCountMode: 'explicit' });
    ear.isEar = true;
    const blocks = [];
    ear.port.onmessage = ({ data }) => blocks.push(data);
    source.connect(ear);
    ear.connect(context.destination);  // it puts out silence, but only what leads there runs
    await context.resume();
    /** What was heard since: samples, and when the first of them was, in ms of the system's clock. */
    window.heard = () => {
      const taken = blocks.splice(0);
      const samples = new Float32Array(taken.length * 128);
      taken.forEach(([, block], i) => samples.set(block, 128 * i));
      const { contextTime, performanceTime } = context.getOutputTimestamp();
      const first = taken.length ? performance.timeOrigin + performanceTime + 1000 * (taken[0][0] - contextTime) : 0;
      const bytes = new Uint8Array(samples.buffer);
      let text = '';
      for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
      return { first, samples: btoa(text) };
    };
  };
}

/** What a page heard since the last call. */
export async function heard(page) {
  const { first, samples } = await page.evaluate(() => window.heard());
  const bytes = Buffer.from(samples, 'base64');
  return { first, samples: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
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
      return { first: last - (1000 * samples.length) / rate, samples };
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
export function onsets({ first, samples }, threshold = 0.05, pauseMs = 100) {
  const times = [];
  let quiet = Infinity;
  samples.forEach((value, i) => {
    if (Math.abs(value) < threshold) {
      quiet++;
      return;
    }
    if (quiet > (pauseMs * rate) / 1000) times.push(first + (1000 * i) / rate);
    quiet = 0;
  });
  return times;
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Differences between each time of `later` and the one of `earlier` that is nearest to it. */
export function offsets(later, earlier, most = 450) {
  return later.map((time) => earlier.map((other) => time - other).sort((a, b) => Math.abs(a) - Math.abs(b))[0])
    .filter((difference) => difference !== undefined && Math.abs(difference) < most);
}
