// SPDX-License-Identifier: LGPL-2.1-or-later
// Networks for tests: namespaces joined by a bridge, a NAT, firewalls, coturn and nginx in them. Needs root; everything made is taken away.
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromiumPath, need, skip, until } from './harness.mjs';

const run = (...words) => {
  const done = spawnSync(words[0], words.slice(1), { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${words.join(' ')}: ${done.stderr || done.error}`);
  return done.stdout;
};

/** Skips the test where namespaces, or what they need, cannot be had. */
export function needNetwork(...programs) {
  need('ip', 'nft', ...programs);
  if (process.getuid() !== 0) skip('network namespaces need root');
  const trial = spawnSync('unshare', ['-n', 'sh', '-c', 'ip link add v0 type veth peer name v1 && ip link add b0 type bridge && nft add table ip t'], { encoding: 'utf8' });
  if (trial.status !== 0) skip(`no network namespaces here: ${trial.stderr.trim().split('\n')[0]}`);
}

let made = 0;

/** One bridged network 10.99.0.0/24 (and fd99::/64), and whatever hangs on it. */
export class Network {
  #stage;
  #name = `vit${process.pid % 100000}x${made++}`;
  #hosts = new Set();

  constructor(stage) {
    this.#stage = stage;
    this.#add('hub');
    // A gateway that leads nowhere: what is sent to unknown networks vanishes, as on the Internet, and is no error at the sender.
    this.in('hub', 'ip link add br0 type bridge && ip addr add 10.99.0.1/24 dev br0 && ip addr add fd99::1/64 dev br0 nodad && ip link set br0 up && sysctl -qw net.ipv4.conf.all.send_redirects=0');
  }

  #add(host) {
    run('ip', 'netns', 'add', this.space(host));
    this.#hosts.add(host);
    this.#stage.defer(() => {
      // Whoever is left in it would keep it alive.
      spawnSync('sh', ['-c', `ip netns pids ${this.space(host)} | xargs -r kill -9`]);
      spawnSync('ip', ['netns', 'del', this.space(host)]);
    });
    this.in(host, 'ip link set lo up && sysctl -qw net.ipv4.ip_unprivileged_port_start=0');
  }

  /** The namespace's name. */
  space(host) {
    return `${this.#name}-${host}`;
  }

  /** A shell line in a namespace, to its end. */
  in(host, line) {
    return run('ip', 'netns', 'exec', this.space(host), 'sh', '-ec', line);
  }

  /** A process in a namespace; see Stage.start(). */
  start(host, command, args, options) {
    return this.#stage.start('ip', ['netns', 'exec', this.space(host), command, ...args], options);
  }

  /** A host on the bridge, with 10.99.0.NUMBER and fd99::NUMBER. */
  host(name, number, { v6 = false } = {}) {
    this.#add(name);
    run('ip', '-n', this.space('hub'), 'link', 'add', `p${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.space(name));
    this.in('hub', `ip link set p${number} master br0 up`);
    this.in(name, `ip addr add 10.99.0.${number}/24 dev eth0 && ip link set eth0 up && ip route add default via 10.99.0.1`);
    if (v6) this.in(name, `ip addr add fd99::${number}/64 dev eth0 nodad && ip -6 route add default via fd99::1`);
    return `10.99.0.${number}`;
  }

  /** A host 10.98.NUMBER.2 behind a router 10.99.0.NUMBER that masks it: it reaches the bridge, nobody there reaches it. */
  hostBehindNat(name, number) {
    const router = `${name}-nat`, outside = this.host(router, number);
    this.#add(name);
    run('ip', '-n', this.space(router), 'link', 'add', 'in0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.space(name));
    this.in(router, `ip addr add 10.98.${number}.1/24 dev in0 && ip link set in0 up && sysctl -qw net.ipv4.ip_forward=1
      nft add table ip nat && nft 'add chain ip nat out { type nat hook postrouting priority srcnat; }'
      nft add rule ip nat out oifname eth0 masquerade random
      nft add table ip fw && nft 'add chain ip fw pass { type filter hook forward priority 0; policy drop; }'
      nft add rule ip fw pass iifname in0 accept && nft add rule ip fw pass ct state established,related accept`);
    this.in(name, `ip addr add 10.98.${number}.2/24 dev eth0 && ip link set eth0 up && ip route add default via 10.98.${number}.1`);
    return { inside: `10.98.${number}.2`, outside, router };
  }

  /** Drops what comes in from other hosts: 'udp', 'tcp dport 9', … ; nobody is told. */
  drop(host, match) {
    this.in(host, `nft list table inet fw >/dev/null 2>&1 || {
        nft add table inet fw && nft 'add chain inet fw in { type filter hook input priority 0; }'; }
      nft add rule inet fw in iifname != lo meta l4proto ${match} drop`);
  }

  /** Every process in a namespace. */
  pids(host) {
    return run('ip', 'netns', 'pids', this.space(host)).trim().split('\n').filter(Boolean).map(Number);
  }

  /** Chromium in a namespace. */
  async chromium(host, args = []) {
    const { chromium } = await import('playwright-core');
    const wrapper = path.join(this.#stage.folder(), 'chromium');
    writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${this.space(host)} ${chromiumPath()} "$@"\n`);
    chmodSync(wrapper, 0o755);
    const browser = await chromium.launch({
      executablePath: wrapper,
      args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', ...args],
    });
    this.#stage.defer(() => browser.close());
    return browser;
  }

  /** Waits until something in `host` accepts TCP connections on address and port. */
  async listening(host, address, port, handle) {
    await until(`${address}:${port}`, () => {
      if (handle?.status !== undefined) throw Object.assign(new Error(`it ended with ${handle.status}: ${handle.log}`), { fatal: true });
      return spawnSync('ip', ['netns', 'exec', this.space(host), 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port}`]).status === 0;
    }, 20000);
  }

  /** coturn in a namespace, as containers/coturn runs it, on 3478 (UDP and TCP) and 5349 (TLS). */
  async coturn(host, address, secret, { certificate, env = {} } = {}) {
    const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../containers/coturn');
    const handle = this.start(host, path.join(folder, 'run-turnserver'), [], {
      env: {
        TURN_SHARED_SECRET: secret, TURN_CONFIG: path.join(folder, 'turnserver.conf'),
        ...(certificate ? { TURN_TLS_CERT: certificate.cert, TURN_TLS_KEY: certificate.key } : {}), ...env,
      },
    });
    await this.listening(host, address, 3478, handle);
    return handle;
  }

  /** A certificate for an address, and the authority that signed it. */
  certificate(address) {
    const folder = this.#stage.folder();
    const at = (name) => path.join(folder, name);
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test authority',
      '-keyout', at('ca.key'), '-out', at('ca.pem'));
    run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=test', '-keyout', at('key.pem'), '-out', at('csr.pem'));
    writeFileSync(at('ext'), `subjectAltName=IP:${address}\n`);
    run('openssl', 'x509', '-req', '-in', at('csr.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext'),
      '-out', at('cert.pem'));
    return { cert: at('cert.pem'), key: at('key.pem'), ca: at('ca.pem') };
  }

  /** nginx in a namespace: `server` is the inside of its server block. */
  async nginx(host, address, port, server) {
    const folder = this.#stage.folder();
    const file = path.join(folder, 'nginx.conf');
    writeFileSync(file, `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn;
events {}
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server { listen ${address}:${port}; ${server} }
}
`);
    const handle = this.start(host, 'nginx', ['-p', folder, '-c', file], { signal: 'SIGQUIT' });
    await this.listening(host, address, port, handle);
    return handle;
  }

  /** webrtcsignallerbin with a test picture. `properties` go to it. */
  async server(host, address, port, properties = '', env = {}) {
    const line = `videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1
      ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max=6000 ! video/x-h264,profile=constrained-baseline
      ! webrtcsignallerbin name=w port=${port} user=user password=correct-horse ${properties}`;
    const handle = this.start(host, 'gst-launch-1.0', ['-q', ...line.trim().split(/\s+/)], { env, signal: 'SIGINT' });
    await this.listening(host, address, port, handle);
    return handle;
  }
}
