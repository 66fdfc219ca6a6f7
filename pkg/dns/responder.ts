import { decode } from 'dns-packet';
import { answerLimit, Encoder, encodeError } from './encode.ts';
import { adapt, type Forwarder, internalQuery } from './forwarder.ts';
import type { Answer, DNSRecord } from './records.ts';
import { type BadQuery, CLASS_IN, parseQuery, type Query, RCODE, TYPE } from './wire.ts';
import type { External, Zone } from './zone.ts';

/** Turns query packets into answer packets. Answers about the cluster come at once, others may take a while. */
export class Responder {
  readonly #zone: Zone;
  readonly #forwarder: Forwarder;
  readonly #onAnswer: (rcode: number, source: 'cluster' | 'cache' | 'forward') => void;
  readonly #encoder = new Encoder();

  constructor(
    zone: Zone,
    forwarder: Forwarder,
    onAnswer: (rcode: number, source: 'cluster' | 'cache' | 'forward') => void,
  ) {
    this.#zone = zone;
    this.#forwarder = forwarder;
    this.#onAnswer = onAnswer;
  }

  /** undefined: no answer. The promise never rejects. */
  respond(packet: Buffer, tcp: boolean): Buffer | Promise<Buffer> | undefined {
    const query = parseQuery(packet);
    if (query === undefined) return undefined;
    if (isBad(query)) {
      this.#onAnswer(query.rcode, 'cluster');
      return encodeError(query.id, query.flags, query.rcode);
    }
    const limit = answerLimit(query, tcp);
    if (query.edns !== undefined && query.edns.version !== 0) return this.#refuse(query, RCODE.BADVERS, limit);
    if (query.class !== CLASS_IN) return this.#refuse(query, RCODE.REFUSED, limit);
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return this.#refuse(query, RCODE.REFUSED, limit);
    const answer = this.#zone.resolve(query.key, query.type);
    if (answer === undefined) return this.#forward(packet, query, limit);
    if ('external' in answer) return this.#follow(query, answer.external, limit);
    this.#onAnswer(answer.rcode, 'cluster');
    return this.#encoder.encode(query, withSpelling(answer, query), limit);
  }

  #refuse(query: Query, rcode: number, limit: number): Buffer {
    this.#onAnswer(rcode, 'cluster');
    return this.#encoder.encode(query, empty(rcode), limit);
  }

  #forward(packet: Buffer, query: Query, limit: number): Buffer | Promise<Buffer> {
    const cached = this.#forwarder.cached(query);
    if (cached !== undefined) {
      this.#onAnswer(cached.readUInt16BE(2) & 0xf, 'cache');
      return adapt(cached, query, packet, limit);
    }
    // The socket's buffer is ours: every message has one of its own.
    return this.#forwarder.ask(query).then(
      (answer) => {
        this.#onAnswer(answer.readUInt16BE(2) & 0xf, 'forward');
        return adapt(answer, query, packet, limit);
      },
      () => this.#failed(query, limit),
    );
  }

  #failed(query: Query, limit: number): Buffer {
    this.#onAnswer(RCODE.SERVFAIL, 'forward');
    return this.#encoder.encode(query, empty(RCODE.SERVFAIL), limit);
  }

  /** An ExternalName Service: its CNAME, and what the name leads to. */
  async #follow(query: Query, { cname, target }: External, limit: number): Promise<Buffer> {
    const found: DNSRecord[] = [{ ...cname, name: query.name }];
    try {
      const question = internalQuery(target, query.type);
      const packet = this.#forwarder.cached(question) ?? (await this.#forwarder.ask(question));
      found.push(...recordsOf(packet));
    } catch {
      // The alias itself is right; a resolver that wants more asks for it.
    }
    this.#onAnswer(RCODE.NOERROR, 'forward');
    return this.#encoder.encode(query, { ...empty(RCODE.NOERROR), authoritative: true, answers: found }, limit);
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
