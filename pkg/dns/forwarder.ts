import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Exchange, Upstream } from './upstream.ts';
import { CLASS_IN, FLAG, type Query, RCODE, TYPE, ttlOffsets } from './wire.ts';

export interface ForwarderDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly exchange: Exchange;
  /** A number in [0, 65536). */
  readonly randomID: () => number;
  /** The resolvers to ask about a name (lower case), best first: the same list as long as it is the same resolvers. */
  readonly upstreams: (name: string) => Promise<readonly Upstream[]>;
  /** Told of each exchange with a resolver, with what it took. */
  readonly onExchange?: (address: string, tookMs: number) => void;
}

interface Cached {
  readonly packet: Buffer;
  readonly ttls: readonly number[];
  readonly storedMs: number;
  readonly expiresMs: number;
}

const CACHE_ENTRIES = 10_000;
const MAX_POSITIVE_SECONDS = 3600;
const MAX_NEGATIVE_SECONDS = 30;
/** For answers that do not say how long they hold. */
const DEFAULT_SECONDS = 5;
const TRY_TIMEOUT_MS = 1500;
/** Within the five seconds that resolver libraries wait. */
const MAX_TRIES = 3;
const MAX_IN_FLIGHT = 2000;
const EDNS_BYTES = 1232;

/** Asks the host's resolvers and remembers their answers. The same question is asked only once at a time. */
export class Forwarder {
  readonly #deps: ForwarderDeps;
  readonly #cache = new LRUCache<string, Cached>({ max: CACHE_ENTRIES });
  readonly #inFlight = new Map<string, Promise<Buffer>>();
  /** `id name` of the queries that are out, to know them when they come back to us. */
  readonly #sent = new Set<string>();
  #loopReported = false;
  /** Which resolver of a list answered last. */
  readonly #preferred = new WeakMap<readonly Upstream[], number>();

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
  }

  /** Other resolvers may have other answers. */
  forget(): void {
    this.#cache.clear();
  }

  /** Answers in the cache. */
  get size(): number {
    return this.#cache.size;
  }

  /** The answer from the cache, ready to send; undefined when it has to be asked for. */
  cached(query: Query): Buffer | undefined {
    const key = cacheKey(query);
    const entry = this.#cache.get(key);
    if (entry === undefined) return undefined;
    const now = this.#deps.clock.monotonic();
    if (now >= entry.expiresMs) {
      this.#cache.delete(key);
      return undefined;
    }
    const age = Math.floor((now - entry.storedMs) / 1000);
    const packet = Buffer.from(entry.packet);
    for (const offset of entry.ttls) packet.writeUInt32BE(Math.max(0, packet.readUInt32BE(offset) - age), offset);
    return packet;
  }

  /**
   * Asks; resolves with a packet that has the upstream's id (see `adapt`). Rejects when no resolver answers, and at once
   * for a query that we have sent ourselves.
   */
  ask(query: Query): Promise<Buffer> {
    if (this.#sent.has(`${query.id} ${query.key}`)) {
      if (!this.#loopReported)
        this.#deps.logger.error(
          { name: query.name },
          'the resolvers of this host send queries back to the cluster DNS',
        );
      this.#loopReported = true;
      return Promise.reject(new Error('forwarding loop'));
    }
    const key = cacheKey(query);
    const running = this.#inFlight.get(key);
    if (running !== undefined) return running;
    if (this.#inFlight.size >= MAX_IN_FLIGHT) return Promise.reject(new Error('too many queries under way'));
    const asked = this.#askUpstreams(query)
      .then((packet) => {
        this.#store(key, packet);
        return packet;
      })
      .finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, asked);
    return asked;
  }

  async #askUpstreams(query: Query): Promise<Buffer> {
    const upstreams = await this.#deps.upstreams(query.key);
    if (upstreams.length === 0) throw new Error('this host has no resolvers');
    const preferred = this.#preferred.get(upstreams) ?? 0;
    let failure: unknown;
    let unhappy: Buffer | undefined;
    for (let attempt = 0; attempt < Math.min(MAX_TRIES, upstreams.length * 2); attempt++) {
      const index = (preferred + attempt) % upstreams.length;
      try {
        const answer = await this.#exchange(upstreams[index] as Upstream, query);
        const rcode = answer.readUInt16BE(2) & 0xf;
        if (rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED) {
          this.#preferred.set(upstreams, index);
          return answer;
        }
        unhappy = answer;
        if (upstreams.length === 1) break;
      } catch (error) {
        failure = error;
      }
    }
    if (unhappy !== undefined) return unhappy;
    throw new Error('no resolver answers', { cause: failure });
  }

  async #exchange(upstream: Upstream, query: Query): Promise<Buffer> {
    const id = this.#deps.randomID();
    const packet = upstreamQuery(query, id);
    const mark = `${id} ${query.key}`;
    this.#sent.add(mark);
    const startMs = this.#deps.clock.monotonic();
    try {
      const answer = await this.#deps.exchange.udp(upstream, packet, TRY_TIMEOUT_MS);
      if ((answer.readUInt16BE(2) & FLAG.TC) === 0) return answer;
      return await this.#deps.exchange.tcp(upstream, packet, TRY_TIMEOUT_MS);
    } finally {
      this.#sent.delete(mark);
      this.#deps.onExchange?.(`${upstream.address}:${upstream.port}`, this.#deps.clock.monotonic() - startMs);
    }
  }

  #store(key: string, packet: Buffer): void {
    const flags = packet.readUInt16BE(2);
    const rcode = flags & 0xf;
    if ((rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) || (flags & FLAG.TC) !== 0) return;
    const ttls = ttlOffsets(packet);
    if (ttls === undefined) return;
    const positive = rcode === RCODE.NOERROR && packet.readUInt16BE(6) > 0;
    const least = ttls.reduce((min, offset) => Math.min(min, packet.readUInt32BE(offset)), Infinity);
    const seconds = Math.min(
      positive ? MAX_POSITIVE_SECONDS : MAX_NEGATIVE_SECONDS,
      least === Infinity ? DEFAULT_SECONDS : least,
    );
    if (seconds <= 0) return;
    const storedMs = this.#deps.clock.monotonic();
    this.#cache.set(key, { packet, ttls, storedMs, expiresMs: storedMs + seconds * 1000 });
  }
}

/** A question with the same key has the same answer. */
function cacheKey({ key, type, class: qclass, edns, flags }: Query): string {
  const extension = edns === undefined ? 0 : edns.dnssecOK ? 2 : 1;
  return `${type} ${qclass} ${extension}${flags & FLAG.CD ? 'c' : ''} ${key}`;
}

/** Our own query for the client's question: nothing else of the client's packet goes out. */
export function upstreamQuery(query: Pick<Query, 'name' | 'type' | 'class' | 'edns' | 'flags'>, id: number): Buffer {
  const labels = query.name === '' ? [] : query.name.split('.');
  const packet = Buffer.alloc(12 + query.name.length + 2 + 4 + 11);
  packet.writeUInt16BE(id, 0);
  packet.writeUInt16BE(FLAG.RD | (query.flags & FLAG.CD), 2);
  packet.writeUInt16BE(1, 4);
  let at = 12;
  for (const label of labels) {
    packet[at] = label.length;
    at += 1 + packet.write(label, at + 1, 'latin1');
  }
  at += 1;
  at = packet.writeUInt16BE(query.type, at);
  at = packet.writeUInt16BE(query.class, at);
  if (query.edns === undefined) return packet.subarray(0, at);
  packet.writeUInt16BE(1, 10);
  packet.writeUInt16BE(TYPE.OPT, at + 1);
  packet.writeUInt16BE(EDNS_BYTES, at + 3);
  packet.writeUInt16BE(query.edns.dnssecOK ? 0x8000 : 0, at + 7);
  return packet.subarray(0, at + 11);
}

/** Makes an upstream's answer the answer to `query`: its id, its spelling of the name, at most `limit` bytes. */
export function adapt(answer: Buffer, query: Query, question: Buffer, limit: number): Buffer {
  const end = query.questionEnd;
  const sameQuestion = answer.readUInt16BE(4) === 1 && answer.length >= end;
  if (answer.length > limit || !sameQuestion) {
    const short = Buffer.alloc(end);
    question.copy(short, 12, 12, end);
    const truncated = answer.length > limit ? FLAG.TC : 0;
    short.writeUInt16BE(query.id, 0);
    short.writeUInt16BE(answer.readUInt16BE(2) | truncated | FLAG.RA, 2);
    short.writeUInt16BE(1, 4);
    return short;
  }
  const packet = Buffer.from(answer);
  packet.writeUInt16BE(query.id, 0);
  question.copy(packet, 12, 12, end);
  return packet;
}

/** A question of our own. */
export function internalQuery(name: string, type: number): Query {
  return {
    id: 0,
    flags: FLAG.RD,
    name,
    key: name,
    type,
    class: CLASS_IN,
    questionEnd: name.length + 18,
    edns: undefined,
  };
}
