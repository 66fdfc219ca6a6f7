import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { readName } from './wire.ts';

/** Asks one resolver; a dependency so that tests need none. */
export interface Exchange {
  /** Sends a query and returns the answer to it; rejects after `timeoutMs`, and when the resolver cannot be reached. */
  udp(server: Upstream, packet: Buffer, timeoutMs: number): Promise<Buffer>;
  tcp(server: Upstream, packet: Buffer, timeoutMs: number): Promise<Buffer>;
}

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** Every query has a socket, and so a port, of its own: that is what makes answers hard to forge. */
export const networkExchange: Exchange = {
  udp({ address, port }, packet, timeoutMs) {
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on('error', () => {
          // Nobody waits for this socket any more.
        });
        socket.close();
        settle();
      };
      const fail = (error: Error): void => finish(() => reject(error));
      const timer = setTimeout(() => fail(new Error(`no answer from ${address} in ${timeoutMs} ms`)), timeoutMs);
      socket.on('error', fail);
      socket.on('message', (answer) => {
        if (answersTo(packet, answer)) finish(() => resolve(answer));
      });
      socket.connect(port, address, () => socket.send(packet));
    });
  },

  tcp({ address, port }, packet, timeoutMs) {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port });
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on('error', () => {
          // Nobody waits for this connection any more.
        });
        socket.destroy();
        settle();
      };
      const fail = (error: Error): void => finish(() => reject(error));
      const timer = setTimeout(() => fail(new Error(`no answer from ${address} in ${timeoutMs} ms`)), timeoutMs);
      socket.on('error', fail);
      socket.on('close', () => fail(new Error(`${address} closed the connection`)));
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size < 2) return;
        const data = chunks.length === 1 ? chunk : Buffer.concat(chunks);
        const length = data.readUInt16BE(0);
        if (data.length < length + 2) return;
        const answer = data.subarray(2, length + 2);
        if (answersTo(packet, answer)) finish(() => resolve(answer));
        else fail(new Error(`${address} answered something else`));
      });
      const framed = Buffer.allocUnsafe(packet.length + 2);
      framed.writeUInt16BE(packet.length, 0);
      packet.copy(framed, 2);
      socket.write(framed);
    });
  },
};

/** The answer has the query's id and question. */
export function answersTo(query: Buffer, answer: Buffer): boolean {
  if (answer.length < 12 || answer.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((answer.readUInt16BE(2) & 0x8000) === 0) return false;
  // Some resolvers leave the question out when they refuse.
  if (answer.readUInt16BE(4) === 0) return (answer.readUInt16BE(2) & 0xf) !== 0;
  const asked = readName(query, 12);
  const given = readName(answer, 12);
  if (asked === undefined || given === undefined || given.end + 4 > answer.length) return false;
  return (
    asked.name.toLowerCase() === given.name.toLowerCase() &&
    query.readUInt32BE(asked.end) === answer.readUInt32BE(given.end)
  );
}
