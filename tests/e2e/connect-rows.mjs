// SPDX-License-Identifier: LGPL-2.1-or-later
// Every way in which a viewer may have to connect: a network for each, and what happens in a real browser there.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { demoHtml, openDemoPage } from './demo-page.mjs';
import { password, until } from './harness.mjs';
import { Network } from './network.mjs';

/** Runs in the page before its own scripts: keeps its connections, and notes when the first picture is there. */
export function watch() {
  const Connection = window.RTCPeerConnection;
  window.seen = { connections: [] };
  window.RTCPeerConnection = class extends Connection {
    constructor(...args) {
      super(...args);
      window.seen.connections.push(this);
    }
  };
  const timer = setInterval(() => {
    if (!(window.vitrine?.framesPresented > 0)) return;
    clearInterval(timer);
    window.seen.first = performance.now();
  }, 2);
}

/** What carries the picture: "udp", "tcp", "relay/udp (server)", … or "websocket". */
export async function pathOf() {
  for (const connection of [...window.seen.connections].reverse()) {
    if (connection.connectionState !== 'connected') continue;
    const reports = [...(await connection.getStats()).values()];
    const transport = reports.find((r) => r.type === 'transport');
    const pair = reports.find((r) => r.id === transport?.selectedCandidatePairId);
    const local = reports.find((r) => r.id === pair?.localCandidateId), remote = reports.find((r) => r.id === pair?.remoteCandidateId);
    if (!local || !remote) continue;
    const relays = [
      ...(local.candidateType === 'relay' ? [`browser's relay by ${local.relayProtocol}`] : []),
      ...(remote.candidateType === 'relay' ? ["server's relay"] : []),
    ];
    return relays.length ? relays.join(', ') : `direct ${remote.protocol}`;
  }
  return window.vitrine?.stats()?.transport || 'none';
}

/** Opens the page and says how long the first picture took, from asking for the page, and by which path it comes. */
export async function connect(browser, url, { frames = 3 } = {}) {
  const context = await browser.newContext({ httpCredentials: { username: 'user', password }, viewport: { width: 640, height: 360 }, ignoreHTTPSErrors: true });
  try {
    await context.addInitScript(watch);
    const page = await context.newPage();
    await page.goto(url);
    const first = await until(`the first picture of ${url}`, () => page.evaluate(() => window.seen.first), 20000);
    await until('more pictures', () => page.evaluate((n) => window.vitrine.framesPresented >= n, frames), 10000);
    const path = await until('a path', async () => {
      const name = await page.evaluate(pathOf);
      return name === 'none' ? undefined : name;
    });
    return { first, path };
  } finally {
    await context.close();
  }
}

const secret = 'only-for-this-test';
const proxyPass = (to) => `location / { proxy_pass http://${to}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade; proxy_set_header Host $http_host; proxy_buffering off; proxy_read_timeout 60s; }`;

/** Server and viewer are behind NATs; only a web proxy outside passes the server's page on. TURN as `turn` says. */
async function behindNat(stage, turn, browserArgs = []) {
  const net = new Network(stage);
  net.hostBehindNat('browser', 2);
  const relay = net.host('turn', 4);
  const { inside, outside, router } = net.hostBehindNat('server', 5);
  const certificate = turn.startsWith('turns:') ? net.certificate(relay) : undefined;
  await net.coturn('turn', relay, secret, { certificate });
  await net.server('server', inside, 8080, `turn-servers=${turn.replace('RELAY', relay)} turn-shared-secret=${secret}
    ${certificate ? `turn-ca-file=${certificate.ca}` : ''} ice-mode=nice`);
  await net.nginx(router, outside, 80, proxyPass(`${inside}:8080`));
  return { browser: await net.chromium('browser', browserArgs), url: `http://${outside}/` };
}

/** What connect() does, by a plain page and an external signalling server. */
async function connectBySignalling(browser, address) {
  const url = address.replace('http:', 'ws:').replace(':8000/', ':8443/');
  const page = await openDemoPage(browser, address, { url, name: 'viewer', peer: 'desk', how: 'asks' });
  try {
    await until('more pictures', () => page.evaluate(() => window.seen.frames >= 3), 20000);
    const way = await until('a path', () => page.evaluate(pathOf));
    return { first: await page.evaluate(() => window.seen.first), path: way };
  } finally {
    await page.context().close();
  }
}

/** Each opens a network, and says with which browser and address to connect(); `connect`: in another way. */
export const rows = [
  {
    name: 'UDP and TCP open',
    path: /^direct udp$/,
    async open(stage) {
      const net = new Network(stage);
      net.host('browser', 2);
      const server = net.host('server', 3);
      await net.server('server', server, 8080);
      return { browser: await net.chromium('browser'), url: `http://${server}:8080/` };
    },
  },
  {
    name: 'TCP only (enable-udp=false)',
    path: /^direct tcp$/,
    async open(stage) {
      const net = new Network(stage);
      net.host('browser', 2);
      const server = net.host('server', 3);
      await net.server('server', server, 8080, 'enable-udp=false');
      return { browser: await net.chromium('browser'), url: `http://${server}:8080/` };
    },
  },
  {
    name: 'UDP silently dropped',
    path: /^direct tcp$/,
    async open(stage) {
      const net = new Network(stage);
      net.host('browser', 2);
      const server = net.host('server', 3);
      net.drop('server', 'udp');
      net.drop('browser', 'udp');
      await net.server('server', server, 8080);
      return { browser: await net.chromium('browser'), url: `http://${server}:8080/` };
    },
  },
  {
    name: 'UDP silently dropped, TURN dead',
    path: /^direct tcp$/,
    async open(stage) {
      const net = new Network(stage);
      net.host('browser', 2);
      const server = net.host('server', 3), relay = net.host('turn', 4);
      net.drop('server', 'udp');
      net.drop('browser', 'udp');
      await net.server('server', server, 8080, `turn-servers=turn:${relay}:3478 turn-shared-secret=${secret}`);
      return { browser: await net.chromium('browser'), url: `http://${server}:8080/` };
    },
  },
  { name: 'server behind NAT, TURN over UDP', path: /relay/, open: (stage) => behindNat(stage, 'turn:RELAY:3478?transport=udp') },
  { name: 'server behind NAT, TURN over TCP', path: /relay/, open: (stage) => behindNat(stage, 'turn:RELAY:3478?transport=tcp') },
  { name: 'server behind NAT, TURN over TLS', path: /relay/, open: (stage) => behindNat(stage, 'turns:RELAY:5349?transport=tcp', ['--ignore-certificate-errors']) },
  {
    name: 'relay only (ice-transport-policy=relay)',
    path: /relay/,
    async open(stage) {
      const net = new Network(stage);
      net.host('browser', 2);
      const server = net.host('server', 3), relay = net.host('turn', 4);
      await net.coturn('turn', relay, secret);
      await net.server('server', server, 8080, `turn-servers=turn:${relay}:3478 turn-shared-secret=${secret} ice-transport-policy=relay`);
      return { browser: await net.chromium('browser'), url: `http://${server}:8080/` };
    },
  },
  {
    name: 'HTTP proxy that only passes WebSocket',
    path: /^websocket$/,
    async open(stage) {
      const net = new Network(stage);
      net.hostBehindNat('browser', 2);
      const { inside, outside, router } = net.hostBehindNat('server', 5);
      const { cert, key } = net.certificate(outside);
      await net.server('server', inside, 8080);
      // Browsers decode by themselves on https only.
      await net.nginx(router, outside, 80, `listen ${outside}:443 ssl; ssl_certificate ${cert}; ssl_certificate_key ${key}; ${proxyPass(`${inside}:8080`)}`);
      return { browser: await net.chromium('browser', ['--ignore-certificate-errors']), url: `https://${outside}/` };
    },
  },
  {
    name: 'external signaller (a plain page)',
    path: /^direct udp$/,
    connect: connectBySignalling,
    async open(stage) {
      const net = new Network(stage);
      net.host('browser', 2);
      const server = net.host('server', 3), signaller = net.host('signaller', 6);
      const service = net.start('signaller', process.env.VITRINE ?? 'vitrine', ['signalling', '--no-auth', '--port', '8443']);
      await net.listening('signaller', signaller, 8443, service);
      const folder = stage.folder();
      writeFileSync(path.join(folder, 'index.html'), demoHtml);
      const pages = net.start('signaller', 'python3', ['-m', 'http.server', '-d', folder, '8000']);
      await net.listening('signaller', signaller, 8000, pages);
      await net.server('server', server, 8080, `signalling-server=ws://${signaller}:8443/ signalling-id=desk`);
      return { browser: await net.chromium('browser'), url: `http://${signaller}:8000/` };
    },
  },
  {
    name: 'automatic: port unreachable, TURN found by itself',
    path: /relay/,
    async open(stage) {
      const net = new Network(stage);
      net.hostBehindNat('browser', 2);
      const relay = net.host('turn', 4);
      const { inside, outside, router } = net.hostBehindNat('server', 5);
      await net.coturn('turn', relay, secret);
      await net.server('server', inside, 8080, `turn-servers=turn:${relay}:3478 turn-shared-secret=${secret}`);
      await net.nginx(router, outside, 80, proxyPass(`${inside}:8080`));
      return { browser: await net.chromium('browser'), url: `http://${outside}/` };
    },
  },
];
