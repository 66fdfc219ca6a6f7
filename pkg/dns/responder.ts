import { decode } from 'dns-packet';
import type { AnswerSource, DNSMetrics, Transport } from './dns-metrics.ts';
import { answerLimit, Encoder, encodeError } from './encode.ts';
import { adapt, type Forwarder, internalQuery } from './forwarder.ts';
import type { Answer, DNSRecord } from './records.ts';
import { type BadQuery, CLASS_IN, parseQuery, type Query, RCODE, TYPE } from './wire.ts';
import type { External, Zone } from './zone.ts';

export interface ResponderDeps {
  readonly zone: Zone;
  readonly forwarder: Forwarder;
  readonly metrics: DNSMetrics;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** A query while it is being answered. */
interface Asked {
  readonly query: Query;
  readonly packet: Buffer;
  /** Bytes of the answer at the most. */
  readonly limit: number;
  readonly startMs: number;
}

/** Turns query packets into answer packets. Answers about the cluster come at once, others may take a while. */
export class Responder {
  readonly #deps: ResponderDeps;
  readonly #encoder = new Encoder();

  constructor(deps: ResponderDeps) {
    this.#deps = deps;
  }

  /** undefined: no answer. The promise never rejects. */
  respond(packet: Buffer, transport: Transport): Buffer | Promise<Buffer> | undefined {
    const { zone, metrics, now } = this.#deps;
    const startMs = now();
    const query = parseQuery(packet);
    if (query === undefined) return undefined;
    if (isBad(query)) {
      metrics.answered(query.rcode, '', 0);
      return encodeError(query.id, query.flags, query.rcode);
    }
    metrics.asked(transport, query.type);
    const asked = { query, packet, limit: answerLimit(query, transport.tcp), startMs };
    if (query.edns !== undefined && query.edns.version !== 0) return this.#refuse(asked, RCODE.BADVERS);
    if (query.class !== CLASS_IN) return this.#refuse(asked, RCODE.REFUSED);
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return this.#refuse(asked, RCODE.REFUSED);
    const answer = zone.resolve(query.key, query.type);
    if (answer === undefined) return this.#forward(asked);
    if ('external' in answer) return this.#follow(asked, answer.external);
    this.#answered(asked, answer.rcode, 'kubernetes');
    return this.#encoder.encode(query, withSpelling(answer, query), asked.limit);
  }

  #answered({ startMs }: Asked, rcode: number, source: AnswerSource): void {
    const { metrics, now } = this.#deps;
    metrics.answered(rcode, source, now() - startMs);
  }

  #refuse(asked: Asked, rcode: number): Buffer {
    this.#answered(asked, rcode, '');
    return this.#encoder.encode(asked.query, empty(rcode), asked.limit);
  }

  #forward(asked: Asked): Buffer | Promise<Buffer> {
    const { forwarder, metrics } = this.#deps;
    const { query, packet, limit } = asked;
    const cached = forwarder.cached(query);
    if (cached !== undefined) {
      this.#answered(asked, cached.readUInt16BE(2) & 0xf, 'cache');
      return adapt(cached, query, packet, limit);
    }
    metrics.cacheMissed();
    // The socket's buffer is ours: every message has one of its own.
    return forwarder.ask(query).then(
      (answer) => {
        this.#answered(asked, answer.readUInt16BE(2) & 0xf, 'forward');
        return adapt(answer, query, packet, limit);
      },
      () => this.#failed(asked),
    );
  }

  #failed(asked: Asked): Buffer {
    this.#answered(asked, RCODE.SERVFAIL, 'forward');
    return this.#encoder.encode(asked.query, empty(RCODE.SERVFAIL), asked.limit);
  }

  /** An ExternalName Service: its CNAMEs, and what the last of them leads to. */
  async #follow(asked: Asked, { cnames, target }: External): Promise<Buffer> {
    const { forwarder } = this.#deps;
    const { query, limit } = asked;
    const found: DNSRecord[] = [...cnames];
    try {
      const question = internalQuery(target, query.type);
      const packet = forwarder.cached(question) ?? (await forwarder.ask(question));
      found.push(...recordsOf(packet));
    } catch {
      // The alias itself is right; a resolver that wants more asks for it.
    }
    this.#answered(asked, RCODE.NOERROR, 'kubernetes');
    const answer = { ...empty(RCODE.NOERROR), authoritative: true, answers: found };
    return this.#encoder.encode(query, withSpelling(answer, query), limit);
  }
}

function isBad(query: Query | BadQuery): query is BadQuery {
  return 'rcode' in query;
}

function empty(rcode: number): Answer {
  return { rcode, authoritative: false, answers: [], authority: [], additional: [] };
}

/** Records of the name asked for carry it as the client spelled it. */
function withSpelling(answer: Answer, { name, key }: Query): Answer {
  if (name === key) return answer;
  const answers = answer.answers.map((record) => (record.name === key ? { ...record, name } : record));
  return { ...answer, answers };
}

/** The addresses and aliases of an upstream's answer. */
function recordsOf(packet: Buffer): DNSRecord[] {
  const records: DNSRecord[] = [];
  for (const answer of decode(packet).answers ?? []) {
    const { name } = answer;
    const ttl = 'ttl' in answer ? (answer.ttl ?? 0) : 0;
    if (answer.type === 'A' || answer.type === 'AAAA')
      records.push({ type: answer.type, name, ttl, address: answer.data });
    else if (answer.type === 'CNAME') records.push({ type: 'CNAME', name, ttl, target: answer.data });
  }
  return records;
}
