/**
 * A server of names, and its client:
 *   netserver.mjs                             HTTP on 8080 and 8090, UDP on 8081; both answer `HOSTNAME CLIENT-ADDRESS`;
 *                                             DNS by UDP on 8053, which knows 192.0.2.53 for every name
 *   netserver.mjs dial PROTOCOL HOST PORT N [MS]   asks N times, prints an answer or an error code on each line; TIMEOUT when there is
 *                                             none for so long
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
  const dns = createSocket('udp4');
  dns.on('message', (query, peer) => dns.send(nameAnswer(query), peer.port, peer.address));
  dns.bind(8053);
  process.on('SIGTERM', () => process.exit(0));
}

function nameAnswer(query) {
  let end = 12;
  while (query[end] !== 0) end += query[end] + 1;
  end += 5;
  const isAddress = query.readUInt16BE(end - 4) === 1;
  const header = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 53]);
  return Buffer.concat([header, query.subarray(12, end), isAddress ? record : Buffer.alloc(0)]);
}

function askHTTP(host, port, timeout) {
  return new Promise((resolve) => {
    const request = get({ host, port, agent: false, timeout }, (response) => {
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

function askUDP(host, port, timeout) {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    let again;
    const finish = (text) => {
      clearTimeout(timer);
      clearInterval(again);
      socket.close();
      resolve(text);
    };
    const timer = setTimeout(() => finish('TIMEOUT'), timeout);
    socket.on('message', (data) => finish(String(data)));
    socket.on('error', (error) => finish(error.code ?? 'ERROR'));
    socket.connect(port, host, () => {
      socket.send('x');
      again = setInterval(() => socket.send('x'), 1000);
    });
  });
}

const [command, protocol, host, port, count = '1', timeoutMs = '15000'] = process.argv.slice(2);
if (command === 'dial') {
  const ask = protocol === 'udp' ? askUDP : askHTTP;
  for (let i = 0; i < Number(count); i++) console.log(await ask(host, Number(port), Number(timeoutMs)));
  process.exit(0);
} else if (command === 'lookup') {
  for (const { address } of await lookup(protocol, { all: true })) console.log(address);
} else {
  serve();
}
