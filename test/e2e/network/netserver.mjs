/**
 * A server of names, and its client:
 *   netserver.mjs                             HTTP on 8080 and 8090, UDP on 8081; both answer `HOSTNAME CLIENT-ADDRESS`
 *   netserver.mjs dial PROTOCOL HOST PORT N   asks N times, prints an answer or an error code on each line
 *   netserver.mjs lookup NAME                 the addresses that the C library finds, one on each line
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { createServer, get } from 'node:http';
import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';

const plain = (address) => address.replace('::ffff:', '');

function serve() {
  for (const port of [8080, 8090]) {
    createServer((request, response) => {
      response.end(`${hostname()} ${plain(request.socket.remoteAddress ?? '')}`);
    }).listen(port, '::');
  }
  const udp = createSocket('udp6');
  udp.on('message', (_, peer) => udp.send(`${hostname()} ${plain(peer.address)}`, peer.port, peer.address));
  udp.bind(8081, '::');
  process.on('SIGTERM', () => process.exit(0));
}

function askHTTP(host, port) {
  return new Promise((resolve) => {
    const request = get({ host, port, agent: false, timeout: 2000 }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => {
      resolve('TIMEOUT');
      request.destroy();
    });
    request.on('error', (error) => resolve(error.code ?? 'ERROR'));
  });
}

function askUDP(host, port) {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const finish = (text) => {
      clearTimeout(timer);
      socket.close();
      resolve(text);
    };
    const timer = setTimeout(() => finish('TIMEOUT'), 1000);
    socket.on('message', (data) => finish(String(data)));
    socket.on('error', (error) => finish(error.code ?? 'ERROR'));
    socket.connect(port, host, () => socket.send('x'));
  });
}

const [command, protocol, host, port, count = '1'] = process.argv.slice(2);
if (command === 'dial') {
  const ask = protocol === 'udp' ? askUDP : askHTTP;
  for (let i = 0; i < Number(count); i++) console.log(await ask(host, Number(port)));
  process.exit(0);
} else if (command === 'lookup') {
  for (const { address } of await lookup(protocol, { all: true })) console.log(address);
} else {
  serve();
}
