/** Numbers of RFC 1035 and those after it that the server needs. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;

export const CLASS_IN = 1;

export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, CD: 0x0010 } as const;

/** A query that has one question; everything else in the packet is ignored but EDNS. */
export interface Query {
  readonly id: number;
  readonly flags: number;
  /** As it came, for the answer (some resolvers check the case); without the final dot. */
  readonly name: string;
  /** `name` in lower case. */
  readonly key: string;
  readonly type: number;
  readonly class: number;
  /** Where the question ends in the packet. */
  readonly questionEnd: number;
  readonly edns: { readonly payloadSize: number; readonly version: number; readonly dnssecOK: boolean } | undefined;
}

/** A packet that cannot be answered with more than an error code. */
export interface BadQuery {
  readonly id: number;
  readonly flags: number;
  readonly rcode: number;
}

/**
 * Reads a query. undefined: not worth an answer (too short, or itself an answer). Never throws and never reads outside
 * the packet, whatever it holds.
 */
export function parseQuery(packet: Buffer): Query | BadQuery | undefined {
  if (packet.length < 12) return undefined;
  const id = packet.readUInt16BE(0);
  const flags = packet.readUInt16BE(2);
  if ((flags & FLAG.QR) !== 0) return undefined;
  if ((flags & 0x7800) !== 0) return { id, flags, rcode: RCODE.NOTIMP };
  if (packet.readUInt16BE(4) !== 1) return { id, flags, rcode: RCODE.FORMERR };
  const question = readName(packet, 12);
  if (question === undefined || question.end + 4 > packet.length) return { id, flags, rcode: RCODE.FORMERR };
  const { name, end } = question;
  let edns: Query['edns'];
  const additional = packet.readUInt16BE(10);
  if (additional > 0) {
    const found = findOPT(packet, end + 4, packet.readUInt16BE(6) + packet.readUInt16BE(8) + additional);
    if (found === 'bad') return { id, flags, rcode: RCODE.FORMERR };
    edns = found;
  }
  return {
    id,
    flags,
    name,
    key: name.toLowerCase(),
    type: packet.readUInt16BE(end),
    class: packet.readUInt16BE(end + 2),
    questionEnd: end + 4,
    edns,
  };
}

function findOPT(packet: Buffer, offset: number, records: number): Query['edns'] | 'bad' {
  let found: Query['edns'];
  for (let left = records; left > 0; left--) {
    const start = skipName(packet, offset);
    if (start === undefined || start + 10 > packet.length) return 'bad';
    const end = start + 10 + packet.readUInt16BE(start + 8);
    if (end > packet.length) return 'bad';
    if (packet.readUInt16BE(start) === TYPE.OPT) {
      if (found !== undefined) return 'bad';
      const ttl = packet.readUInt32BE(start + 4);
      found = {
        payloadSize: packet.readUInt16BE(start + 2),
        version: (ttl >>> 16) & 0xff,
        dnssecOK: (ttl & 0x8000) !== 0,
      };
    }
    offset = end;
  }
  return found;
}

/** Reads an uncompressed or compressed name; pointers may only lead backwards. Dots within labels make it unreadable. */
export function readName(packet: Buffer, start: number): { name: string; end: number } | undefined {
  let name = '';
  let offset = start;
  let end = -1;
  let limit = start;
  let length = 0;
  for (;;) {
    if (offset >= packet.length) return undefined;
    const size = packet[offset] ?? 0;
    if (size === 0) return { name, end: end < 0 ? offset + 1 : end };
    if (size >= 0xc0) {
      if (offset + 1 >= packet.length) return undefined;
      const target = packet.readUInt16BE(offset) & 0x3fff;
      if (end < 0) end = offset + 2;
      if (target >= limit) return undefined;
      limit = target;
      offset = target;
      continue;
    }
    if (size > 63 || offset + 1 + size > packet.length) return undefined;
    length += size + 1;
    if (length > 254) return undefined;
    const label = packet.toString('latin1', offset + 1, offset + 1 + size);
    if (label.includes('.')) return undefined;
    name = name === '' ? label : `${name}.${label}`;
    offset += size + 1;
  }
}

/** The offset after a name; undefined when it leaves the packet. */
export function skipName(packet: Buffer, offset: number): number | undefined {
  while (offset < packet.length) {
    const size = packet[offset] ?? 0;
    if (size === 0) return offset + 1;
    if (size >= 0xc0) return offset + 2 <= packet.length ? offset + 2 : undefined;
    if (size > 63) return undefined;
    offset += size + 1;
  }
  return undefined;
}

/** Where the TTLs of an answer's records are (but for OPT, whose TTL is none); undefined when it is broken. */
export function ttlOffsets(packet: Buffer): number[] | undefined {
  if (packet.length < 12) return undefined;
  let offset: number | undefined = 12;
  for (let left = packet.readUInt16BE(4); left > 0; left--) {
    offset = skipName(packet, offset);
    if (offset === undefined || offset + 4 > packet.length) return undefined;
    offset += 4;
  }
  const found: number[] = [];
  for (let left = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10); left > 0; left--) {
    offset = skipName(packet, offset);
    if (offset === undefined || offset + 10 > packet.length) return undefined;
    if (packet.readUInt16BE(offset) !== TYPE.OPT) found.push(offset + 4);
    offset += 10 + packet.readUInt16BE(offset + 8);
    if (offset > packet.length) return undefined;
  }
  return found;
}
