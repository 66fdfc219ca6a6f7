import { Counter, Gauge, Histogram, type Metrics } from '../base/metrics.ts';
import { RCODE, TYPE } from './wire.ts';

/** How a query came. */
export interface Transport {
  readonly tcp: boolean;
  readonly family: 'IPv4' | 'IPv6';
}

/** Who knew the answer, by the names of CoreDNS's plugins; '' for what is refused. */
export type AnswerSource = 'kubernetes' | 'cache' | 'forward' | '';

export interface DNSMetrics {
  asked(transport: Transport, type: number): void;
  answered(rcode: number, source: AnswerSource, tookMs: number): void;
  cacheMissed(): void;
  /** A resolver outside the cluster has been asked; `address` with its port. */
  exchanged(address: string, tookMs: number): void;
}

const SERVER = { server: 'dns://:53', view: '' } as const;
const ZONE = { ...SERVER, zone: '.' } as const;
const RCODES = namesOf(RCODE);
const TYPES = namesOf({ ...TYPE, MX: 15, DS: 43, DNSKEY: 48, SVCB: 64, HTTPS: 65, CAA: 257 });

/** The metrics of the DNS server, with the names and labels of CoreDNS, whose dashboards and alerts fit. */
export function createDNSMetrics(metrics: Metrics | undefined, cacheEntries: () => number): DNSMetrics {
  if (metrics === undefined) return { asked: () => {}, answered: () => {}, cacheMissed: () => {}, exchanged: () => {} };
  const registers = [metrics];
  const requests = new Counter({
    name: 'coredns_dns_requests_total',
    help: 'DNS requests by how they came and what was asked for',
    labelNames: ['server', 'zone', 'view', 'proto', 'family', 'type'],
    registers,
  });
  const duration = new Histogram({
    name: 'coredns_dns_request_duration_seconds',
    help: 'From a DNS request to its answer',
    labelNames: ['server', 'zone', 'view'],
    buckets: Array.from({ length: 16 }, (_, power) => 0.00025 * 2 ** power),
    registers,
  }).labels(ZONE);
  const responses = new Counter({
    name: 'coredns_dns_responses_total',
    help: 'DNS answers by code and by who knew them (kubernetes, cache, forward)',
    labelNames: ['server', 'zone', 'view', 'rcode', 'plugin'],
    registers,
  });
  const hits = new Counter({
    name: 'coredns_cache_hits_total',
    help: 'Answers from the cache, those that a name is there and those that it is not',
    labelNames: ['server', 'zones', 'view', 'type'],
    registers,
  });
  const misses = new Counter({
    name: 'coredns_cache_misses_total',
    help: 'Requests about names outside the cluster that the cache has no answer to',
    labelNames: ['server', 'zones', 'view'],
    registers,
  }).labels({ ...SERVER, zones: '.' });
  new Gauge({
    name: 'coredns_cache_entries',
    help: 'Answers in the cache',
    labelNames: ['server', 'zones', 'view', 'type'],
    registers,
    collect() {
      this.set({ ...SERVER, zones: '.', type: 'success' }, cacheEntries());
    },
  });
  const exchanges = new Histogram({
    name: 'coredns_proxy_request_duration_seconds',
    help: 'How long resolvers outside the cluster took',
    labelNames: ['proxy_name', 'to'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const requestCounts = new Children((key) => {
    const [proto = '', family = '', type = ''] = key.split(' ');
    return requests.labels({ ...ZONE, proto, family, type });
  });
  const responseCounts = new Children((key) => {
    const [rcode = '', plugin = ''] = key.split(' ');
    return responses.labels({ ...ZONE, rcode, plugin });
  });
  const hitCounts = new Children((type) => hits.labels({ ...SERVER, zones: '.', type }));
  return {
    asked: ({ tcp, family }, type) =>
      requestCounts.inc(`${tcp ? 'tcp' : 'udp'} ${family === 'IPv4' ? 1 : 2} ${TYPES.get(type) ?? 'other'}`),
    answered(rcode, source, tookMs) {
      responseCounts.inc(`${RCODES.get(rcode) ?? rcode} ${source}`);
      duration.observe(tookMs / 1000);
      if (source === 'cache') hitCounts.inc(rcode === RCODE.NOERROR ? 'success' : 'denial');
    },
    cacheMissed: () => misses.inc(),
    exchanged: (to, tookMs) => exchanges.labels({ proxy_name: 'forward', to }).observe(tookMs / 1000),
  };
}

/** Counters by their labels; a lookup of the labels costs more than the rest. */
class Children {
  readonly #create: (key: string) => { inc(): void };
  readonly #known = new Map<string, { inc(): void }>();

  constructor(create: (key: string) => { inc(): void }) {
    this.#create = create;
  }

  inc(key: string): void {
    let child = this.#known.get(key);
    if (child === undefined) {
      child = this.#create(key);
      this.#known.set(key, child);
    }
    child.inc();
  }
}

function namesOf(numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
}
