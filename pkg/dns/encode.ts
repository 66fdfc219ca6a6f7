import { isIPv4 } from 'node:net';
import type { Answer, DNSRecord } from './records.ts';
import { CLASS_IN, FLAG, type Query, TYPE } from './wire.ts';

/** What answers by UDP may be long without EDNS, and what is offered with it (no fragments on any usual link). */
const PLAIN_UDP_BYTES = 512;
const EDNS_UDP_BYTES = 1232;
const MAX_BYTES = 65_535;

/** How long an answer to this query may be. */
export function answerLimit(query: Query, tcp: boolean): number {
  if (tcp) return MAX_BYTES;
  if (query.edns === undefined) return PLAIN_UDP_BYTES;
  return Math.min(EDNS_UDP_BYTES, Math.max(PLAIN_UDP_BYTES, query.edns.payloadSize));
}

/** Writes answers with compressed names (RFC 1035 section 4.1.4) into one buffer that is used again and again. */
export class Encoder {
  readonly #buffer = Buffer.allocUnsafe(MAX_BYTES + 1024);
  readonly #names = new Map<string, number>();
  #at = 0;

  /** The answer to `query` in at most `limit` bytes: what does not fit is left out and the answer marked as truncated. */
  encode(query: Query, answer: Answer, limit: number): Buffer {
    const buffer = this.#buffer;
    this.#names.clear();
    this.#at = 12;
    this.#name(query.name);
    this.#uint16(query.type);
    this.#uint16(query.class);
    const room = limit - (query.edns === undefined ? 0 : 11);
    const answers = this.#records(answer.answers, room);
    const complete = answers === answer.answers.length;
    const authority = complete ? this.#records(answer.authority, room) : 0;
    const additional = complete ? this.#records(answer.additional, room) : 0;
    let flags = FLAG.QR | FLAG.RA | (query.flags & (FLAG.RD | FLAG.CD)) | (answer.rcode & 0xf);
    if (answer.authoritative) flags |= FLAG.AA;
    if (!complete || authority < answer.authority.length) flags |= FLAG.TC;
    if (query.edns !== undefined) this.#opt(answer.rcode, query.edns.dnssecOK);
    buffer.writeUInt16BE(query.id, 0);
    buffer.writeUInt16BE(flags, 2);
    buffer.writeUInt16BE(1, 4);
    buffer.writeUInt16BE(answers, 6);
    buffer.writeUInt16BE(authority, 8);
    buffer.writeUInt16BE(additional + (query.edns === undefined ? 0 : 1), 10);
    return Buffer.from(buffer.subarray(0, this.#at));
  }

  /** Writes records until one does not fit; returns how many are in. */
  #records(records: readonly DNSRecord[], room: number): number {
    let written = 0;
    for (const record of records) {
      const start = this.#at;
      this.#record(record);
      if (this.#at > room) {
        this.#at = start;
        for (const [name, offset] of this.#names) if (offset >= start) this.#names.delete(name);
        break;
      }
      written++;
    }
    return written;
  }

  #record(record: DNSRecord): void {
    this.#name(record.name);
    this.#uint16(TYPE[record.type]);
    this.#uint16(CLASS_IN);
    this.#uint32(record.ttl);
    const lengthAt = this.#at;
    this.#at += 2;
    this.#data(record);
    this.#buffer.writeUInt16BE(this.#at - lengthAt - 2, lengthAt);
  }

  #data(record: DNSRecord): void {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        this.#address(record.address);
        break;
      case 'CNAME':
      case 'PTR':
      case 'NS':
        this.#name(record.target);
        break;
      case 'SRV':
        this.#uint16(record.priority);
        this.#uint16(record.weight);
        this.#uint16(record.port);
        // RFC 2782 forbids a compressed target.
        this.#name(record.target, false);
        break;
      case 'TXT':
        this.#buffer[this.#at] = Math.min(255, record.text.length);
        this.#at += 1 + this.#buffer.write(record.text.slice(0, 255), this.#at + 1, 'latin1');
        break;
      case 'SOA':
        this.#name(record.primary);
        this.#name(record.mailbox);
        this.#uint32(record.serial);
        this.#uint32(record.refresh);
        this.#uint32(record.retry);
        this.#uint32(record.expire);
        this.#uint32(record.minimum);
        break;
    }
  }

  #address(address: string): void {
    if (isIPv4(address)) {
      for (const part of address.split('.')) this.#buffer[this.#at++] = Number(part);
      return;
    }
    for (const word of ipv6Words(address)) this.#uint16(word);
  }

  #name(name: string, compress = true): void {
    let rest = name;
    while (rest !== '') {
      const known = compress ? this.#names.get(rest) : undefined;
      if (known !== undefined) {
        this.#uint16(0xc000 | known);
        return;
      }
      if (this.#at < 0x4000) this.#names.set(rest, this.#at);
      const dot = rest.indexOf('.');
      const label = dot < 0 ? rest : rest.slice(0, dot);
      this.#buffer[this.#at] = Math.min(63, label.length);
      this.#at += 1 + this.#buffer.write(label, this.#at + 1, Math.min(63, label.length), 'latin1');
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.#buffer[this.#at++] = 0;
  }

  #opt(rcode: number, dnssecOK: boolean): void {
    this.#buffer[this.#at++] = 0;
    this.#uint16(TYPE.OPT);
    this.#uint16(EDNS_UDP_BYTES);
    this.#uint16((rcode >>> 4) << 8);
    this.#uint16(dnssecOK ? 0x8000 : 0);
    this.#uint16(0);
  }

  #uint16(value: number): void {
    this.#at = this.#buffer.writeUInt16BE(value & 0xffff, this.#at);
  }

  #uint32(value: number): void {
    this.#at = this.#buffer.writeUInt32BE(value >>> 0, this.#at);
  }
}

/** The eight words of an IPv6 address. */
export function ipv6Words(address: string): number[] {
  const normal = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::');
  const words = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const left = words(head);
  const right = words(tail);
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].map((word) => Number.parseInt(word, 16));
}

/** An answer that only carries an error code: the header and, where it was readable, nothing else. */
export function encodeError(id: number, flags: number, rcode: number): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.writeUInt16BE(id, 0);
  buffer.writeUInt16BE(FLAG.QR | (flags & (0x7800 | FLAG.RD)) | (rcode & 0xf), 2);
  return buffer;
}
