import { createSocket, type Socket as UDPSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Logger } from '../base/logger.ts';
import type { Transport } from './dns-metrics.ts';

/** Answers a packet; undefined for no answer. */
export type Respond = (packet: Buffer, transport: Transport) => Buffer | Promise<Buffer | undefined> | undefined;

const TCP_IDLE_MS = 10_000;
const MAX_TCP_CONNECTIONS = 500;
/** Queries of one TCP connection that are worked on at a time. */
const MAX_TCP_PENDING = 32;

export interface Listener {
  close(): Promise<void>;
}

export async function listenUDP(address: string, port: number, respond: Respond, logger: Logger): Promise<Listener> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  const transport = transportOf(address, false);
  socket.on('message', (packet, { address: to, port: toPort }) => {
    const answer = respond(packet, transport);
    if (answer instanceof Promise) void answer.then((late) => send(socket, late, toPort, to));
    else send(socket, answer, toPort, to);
  });
  socket.bind({ address, port, exclusive: true });
  await once(socket, 'listening');
  socket.on('error', (error) => logger.warn({ err: error }, 'DNS socket error'));
  return {
    close: () =>
      new Promise((resolve) => {
        socket.close(() => resolve());
      }),
  };
}

function send(socket: UDPSocket, packet: Buffer | undefined, port: number, address: string): void {
  if (packet === undefined) return;
  try {
    // Whoever has gone meanwhile gets no answer.
    socket.send(packet, port, address, () => {});
  } catch {
    // The socket has been closed since the query came, or the port is 0.
  }
}

export async function listenTCP(address: string, port: number, respond: Respond, logger: Logger): Promise<Listener> {
  const connections = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serveConnection(socket, transportOf(address, true), respond);
  });
  server.maxConnections = MAX_TCP_CONNECTIONS;
  server.listen({ host: address, port });
  await once(server, 'listening');
  server.on('error', (error) => logger.warn({ err: error }, 'DNS server error'));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of connections) socket.destroy();
      }),
  };
}

function transportOf(address: string, tcp: boolean): Transport {
  return { tcp, family: isIPv6(address) ? 'IPv6' : 'IPv4' };
}

function serveConnection(socket: Socket, transport: Transport, respond: Respond): void {
  let data: Buffer = Buffer.alloc(0);
  let pending = 0;
  const work = (): void => {
    while (data.length >= 2 && pending < MAX_TCP_PENDING) {
      const length = data.readUInt16BE(0);
      if (data.length < length + 2) break;
      const answer = respond(data.subarray(2, length + 2), transport);
      data = data.subarray(length + 2);
      if (answer === undefined) return void socket.destroy();
      pending++;
      void Promise.resolve(answer).then((packet) => {
        pending--;
        if (socket.destroyed) return;
        if (packet === undefined) return void socket.destroy();
        writeFramed(socket, packet);
        if (socket.isPaused()) socket.resume();
        work();
      });
    }
    if (pending >= MAX_TCP_PENDING) socket.pause();
  };
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    data = data.length === 0 ? chunk : Buffer.concat([data, chunk]);
    work();
  });
}

function writeFramed(socket: Socket, packet: Buffer): void {
  const length = Buffer.allocUnsafe(2);
  length.writeUInt16BE(packet.length, 0);
  socket.cork();
  socket.write(length);
  socket.write(packet);
  socket.uncork();
}
