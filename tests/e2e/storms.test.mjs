// SPDX-License-Identifier: LGPL-2.1-or-later
// Whatever keys are down when a viewer goes, however it goes, they are up soon after.
//
// VITRINE_STORMS says how many storms there are; 1000 of them take about twenty minutes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Stage, desktopLine, freePort, need, showing, until } from './harness.mjs';
import { ViewerKeyboard } from './viewer-keyboard.mjs';

need('Xvfb', 'gst-launch-1.0', 'python3', 'xev');

const kStorms = Number(process.env.VITRINE_STORMS ?? 40);
const kSeed = 20;
const stage = new Stage();
let browser, port, probe, xev;

before(async () => {
  const { display } = await stage.xserver('400x300');
  port = await freePort();
  await stage.gstLaunch(desktopLine(display, port, { framerate: 5, encoder: 'vp8' }), port);
  browser = await stage.chromium();
  xev = stage.x(display, 'xev', ['-geometry', '400x300+0+0', '-event', 'keyboard']);
  probe = startProbe(display);
});
after(() => stage.close());

/** Answers which keys and buttons are down. */
function startProbe(display) {
  const child = spawn('python3', [path.join(path.dirname(fileURLToPath(import.meta.url)), 'keys-down.py')], {
    env: { ...process.env, DISPLAY: display }, stdio: ['pipe', 'pipe', 'inherit'],
  });
  stage.defer(() => child.kill());
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    child.stdin.write('\n');
    return JSON.parse((await answers.next()).value);
  };
}

/** Numbers that are the same in each run. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const kKeys = [
  ['ShiftLeft', 'Shift'], ['ControlLeft', 'Control'], ['AltLeft', 'Alt'], ['MetaLeft', 'Meta'], ['AltRight', 'AltGraph'], ['CapsLock', 'CapsLock'],
  ['KeyA', 'a'], ['KeyA', 'ä'], ['KeyQ', 'ж'], ['Digit1', '!'], ['Digit1', '1'], ['Enter', 'Enter'], ['ArrowLeft', 'ArrowLeft'], ['F5', 'F5'], ['KeyN', '日'],
  ['Space', ' '], ['Numpad5', '5'], ['NumLock', 'NumLock'], ['Tab', 'Tab'], ['Escape', 'Escape'], ['Backspace', 'Backspace'],
];

/** How a viewer goes, or does not. */
const kEnds = {
  blur: { often: 8, end: (page) => page.evaluate(() => dispatchEvent(new Event('blur'))) },
  hide: {
    often: 4,
    end: (page) => page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      delete document.visibilityState;
      document.dispatchEvent(new Event('visibilitychange'));
    }),
  },
  socket: { often: 3, end: (page) => page.evaluate(() => window.sockets.at(-1).close()), again: true },
  reload: { often: 1, end: (page) => page.reload(), again: true },
  close: { often: 1, end: (page) => page.context().close(), gone: true },
  freeze: { often: 2, end: (page) => page.evaluate(() => document.dispatchEvent(new Event('freeze'))) },
  hang: {
    // No word from the page, though its connections stand: the server lets go by itself.
    often: 1,
    end: async (page) => {
      const debug = await page.context().newCDPSession(page);
      await debug.send('Debugger.enable');
      await debug.send('Debugger.pause');
    },
    then: (page) => page.context().close(), gone: true,
  },
};

async function fresh() {
  const page = await stage.page(browser, port, { width: 400, height: 300 });
  await page.addInitScript(() => {
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
      constructor(...more) {
        super(...more);
        window.sockets.push(this);
      }
    };
  });
  await page.reload();
  return page;
}
const ready = async (page) => {
  await showing(page, 1);
  await until('control', () => page.evaluate(() => window.vitrine.control));
};

test(`${kStorms} storms of keys leave none down`, { timeout: 100_000 + kStorms * 4000 }, async () => {
  const pick = random(kSeed);
  const ends = Object.entries(kEnds).flatMap(([name, { often }]) => Array(often).fill(name));
  const counts = {};
  let page = await fresh();
  await ready(page);
  for (let storm = 0; storm < kStorms; storm++) {
    const keyboard = await ViewerKeyboard.of(page);
    for (let i = 0, count = 5 + pick(20); i < count; i++) {
      const [code, key] = kKeys[pick(kKeys.length)];
      await keyboard.event(pick(3) ? 'keyDown' : 'keyUp', { code, key });
      if (pick(12) === 0) await page.keyboard.insertText('字');
    }
    const name = ends[pick(ends.length)];
    counts[name] = (counts[name] ?? 0) + 1;
    const { end, again, gone, then } = kEnds[name];
    await end(page);
    await until(`all keys to be up after storm ${storm}, which ended by ${name}`, async () => {
      const { keys, buttons } = await probe();
      return keys.length === 0 && buttons === 0;
    }, 5000);
    if (then) await then(page);
    if (gone) page = await fresh();
    if (again || gone) await ready(page);
    if ((storm + 1) % 100 === 0) console.log(`${storm + 1} storms: ${JSON.stringify(counts)}`);
  }
  console.log(`storms by their end: ${JSON.stringify(counts)}`);
  assert.deepEqual(page.problems, []);
  const presses = (xev.log.match(/KeyPress event/g) ?? []).length;
  assert.ok(presses > kStorms, `only ${presses} keys arrived`);
});
