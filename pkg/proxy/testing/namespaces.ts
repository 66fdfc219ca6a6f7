import { type ChildProcess, spawn } from 'node:child_process';
import { type Exec, execOutput, systemExec } from '../../base/exec.ts';
import { type FollowCommand, followCommand } from '../../base/follow-command.ts';

/** A program that answers on TCP and UDP with `NAME CLIENT-ADDRESS`; arguments: name, port. */
const SERVER = `
const [name, port] = process.argv.slice(1);
const plain = (address) => address.replace('::ffff:', '');
require('net').createServer((socket) => {
  socket.on('error', () => {});
  socket.write(name + ' ' + plain(socket.remoteAddress));
  socket.on('data', (data) => (String(data) === 'bye' ? socket.end() : socket.write(data)));
}).listen(+port, '::', () => {
  const udp = require('dgram').createSocket({ type: 'udp6' });
  udp.on('message', (_, peer) => udp.send(name + ' ' + plain(peer.address), peer.port, peer.address));
  udp.bind(+port, '::', () => console.log('up'));
});`;

/** How long an answer is waited for; one that must not come, for a shorter time. */
const PATIENCE_MS = 20_000;
const BRIEFLY_MS = 600;

/** A program that connects N times to an address and prints each answer or the error's code on a line. */
const CLIENT = `
const [protocol, host, port, count, timeout] = process.argv.slice(1);
const tcp = () => new Promise((done) => {
  const socket = require('net').connect({ host, port: +port, timeout: +timeout });
  socket.on('data', (data) => { socket.end('bye'); done(String(data)); });
  socket.on('timeout', () => { socket.destroy(); done('TIMEOUT'); });
  socket.on('error', (error) => done(error.code));
});
const udp = () => new Promise((done) => {
  const socket = require('dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const finish = (text) => { clearTimeout(timer); socket.close(); done(text); };
  const timer = setTimeout(() => finish('TIMEOUT'), +timeout);
  socket.on('message', (data) => finish(String(data)));
  socket.on('error', (error) => finish(error.code));
  socket.connect(+port, host, () => socket.send('x'));
});
(async () => { for (let i = 0; i < +count; i++) console.log(await (protocol === 'udp' ? udp() : tcp())); })();`;

/** Network namespaces of one test: a node with pods routed to it as the pod network does, and a machine outside. */
export class TestNetwork {
  readonly #prefix = `kl-test-${process.pid}-`;
  readonly #names: string[] = [];
  readonly #servers: ChildProcess[] = [];

  async open(): Promise<void> {
    await this.#addNamespace('node');
    await this.sh('node', 'sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1');
    await this.sh('node', 'sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1');
    await this.#addNamespace('outside');
    await this.#link('outside', 'out');
    await this.sh('node', 'ip addr add 192.168.77.1/24 dev out');
    await this.sh('outside', 'ip addr add 192.168.77.2/24 dev eth0; ip route add 10.43.0.0/16 via 192.168.77.1');
    await this.sh('node', 'ip route add 10.43.0.0/16 dev lo src 192.168.77.1');
  }

  /** A pod on the node; the host's end has the gateway's address, as the CNI plugin does it. */
  async addPod(name: string, address: string): Promise<void> {
    await this.#addNamespace(name);
    await this.#link(name, name);
    await this.sh('node', `ip addr add 10.42.0.1/32 dev ${name}; ip route add ${address} dev ${name} scope host`);
    await this.sh(
      name,
      `ip addr add ${address}/32 dev eth0; ip route add 10.42.0.1 dev eth0 scope link src ${address};` +
        `ip route add default via 10.42.0.1 src ${address}`,
    );
  }

  /** Commands run in a namespace. */
  exec(name: string): Exec {
    const args = this.#entering(name);
    return { run: (command, more, options) => systemExec.run('nsenter', [...args, command, ...more], options) };
  }

  /** Commands are followed in a namespace. */
  follow(name: string): FollowCommand {
    const args = this.#entering(name);
    return (command, more, onLine, signal) => followCommand('nsenter', [...args, command, ...more], onLine, signal);
  }

  #entering(name: string): string[] {
    return [`--net=/run/netns/${this.#prefix}${name}`];
  }

  async sh(name: string, script: string): Promise<string> {
    return execOutput(this.exec(name), 'sh', ['-ec', script]);
  }

  async serve(name: string, port: number): Promise<void> {
    const args = [...this.#entering(name), process.execPath, '-e', SERVER, name, String(port)];
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#servers.push(child);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve());
      child.once('exit', () => reject(new Error(`the server in ${name} ended`)));
    });
  }

  /** Answers of `count` connections, or error codes. */
  connect(from: string, protocol: 'tcp' | 'udp', host: string, port: number, count = 1): Promise<readonly string[]> {
    return this.#connect(from, protocol, host, port, count, PATIENCE_MS);
  }

  /** Whether a connection is neither answered nor refused. */
  async isIgnored(from: string, protocol: 'tcp' | 'udp', host: string, port: number): Promise<boolean> {
    return (await this.#connect(from, protocol, host, port, 1, BRIEFLY_MS))[0] === 'TIMEOUT';
  }

  async #connect(...[from, ...words]: readonly [string, ...(string | number)[]]): Promise<readonly string[]> {
    return (await execOutput(this.exec(from), process.execPath, ['-e', CLIENT, ...words.map(String)]))
      .trim()
      .split('\n');
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.kill('SIGKILL');
    for (const name of this.#names) await systemExec.run('ip', ['netns', 'del', name]);
  }

  async #addNamespace(name: string): Promise<void> {
    await execOutput(systemExec, 'ip', ['netns', 'add', this.#prefix + name]);
    this.#names.push(this.#prefix + name);
    await this.sh(name, 'ip link set lo up');
  }

  async #link(name: string, hostEnd: string): Promise<void> {
    await this.sh(
      'node',
      `ip link add ${hostEnd} type veth peer name eth0 netns ${this.#prefix}${name}; ip link set ${hostEnd} up`,
    );
    await this.sh(name, 'ip link set eth0 up');
  }
}
