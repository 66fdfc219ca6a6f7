import { readFileSync } from 'node:fs';
import { Canary, type Stall } from './canary.ts';
import { Generator } from './generate.ts';
import { goldenRoundTrip } from './golden.ts';
import { judge } from './oracle.ts';
import { NAMESPACES, QUOTA_NAMESPACE } from './places.ts';
import { Random } from './random.ts';
import type { FuzzRequest } from './request.ts';
import { rawAttacks } from './sockets.ts';
import { type Credentials, Target } from './target.ts';

export interface FuzzOptions {
  readonly credentials: Credentials;
  readonly seed: number;
  readonly requests: number;
  /** The server's process, for its memory and its CPU time. */
  readonly pid: number;
  /** Ends early after this long. */
  readonly limitMs?: number;
  readonly log?: (line: string) => void;
}

export interface Finding {
  readonly index: number;
  readonly what: string;
  readonly request: string;
}

export interface FuzzReport {
  readonly seed: number;
  readonly requests: number;
  readonly seconds: number;
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly areas: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  readonly stalls: readonly Stall[];
  readonly longestStallMs: number;
  readonly canaryAsked: number;
  readonly canaryFailures: readonly string[];
  readonly rssBeforeBytes: number;
  readonly rssAfterBytes: number;
  readonly rssPeakBytes: number;
  readonly golden: readonly string[];
  readonly slowest: readonly string[];
}

const CONCURRENCY = 4;
const STALL_MS = 200;
/** One raw attack for so many requests. */
const RAW_EVERY = 60;
const FINDINGS_MAX = 200;
const SETTLE_LOOKS = 8;
const SETTLE_PAUSE_MS = 500;

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const run = new Run(options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class Run {
  readonly #options: FuzzOptions;
  readonly #target: Target;
  readonly #generator: Generator;
  readonly #canary: Canary;
  readonly #inFlight = new Map<number, FuzzRequest>();
  readonly #recent: { index: number; startedAt: number; endedAt: number; request: FuzzRequest }[] = [];
  readonly #statuses: Record<string, number> = {};
  readonly #areas: Record<string, number> = {};
  readonly #findings: Finding[] = [];
  readonly #seen = new Map<string, number>();
  readonly #slow: { ms: number; text: string }[] = [];
  #rssPeak = 0;
  #done = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#target = new Target(options.credentials);
    this.#generator = new Generator(options.seed);
    this.#canary = new Canary(options.credentials, options.pid, STALL_MS, (stall) => this.#stalled(stall));
  }

  async run(): Promise<FuzzReport> {
    const { seed, requests, pid, limitMs = Number.POSITIVE_INFINITY, log } = this.#options;
    await this.#prepare();
    const golden = (await goldenRoundTrip(this.#target)).map((problem) => `before: ${problem}`);
    const rssBeforeBytes = residentBytes(pid);
    const started = performance.now();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < requests && performance.now() - started < limitMs) {
        const index = next++;
        if (index % RAW_EVERY === RAW_EVERY - 1) await this.#attack(index);
        else await this.#one(index);
        if (index % 1000 === 0) this.#rssPeak = Math.max(this.#rssPeak, residentBytes(pid));
        if (index % 5000 === 0) log?.(this.#progress(started));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    const seconds = (performance.now() - started) / 1000;
    golden.push(...(await goldenRoundTrip(this.#target)));
    const rssAfterBytes = await settledBytes(pid);
    this.#slow.sort((a, b) => b.ms - a.ms);
    return {
      seed,
      requests: this.#done,
      seconds,
      statuses: this.#statuses,
      areas: this.#areas,
      findings: this.#findings,
      stalls: this.#canary.stalls,
      longestStallMs: this.#canary.longest.stallMs,
      canaryAsked: this.#canary.asked,
      canaryFailures: this.#canary.failures,
      rssBeforeBytes,
      rssAfterBytes,
      rssPeakBytes: Math.max(this.#rssPeak, rssAfterBytes),
      golden,
      slowest: this.#slow.slice(0, 10).map(({ ms, text }) => `${ms.toFixed(0)} ms ${text}`),
    };
  }

  async close(): Promise<void> {
    await this.#canary.close();
    this.#target.close();
  }

  async #prepare(): Promise<void> {
    for (const name of [...NAMESPACES, QUOTA_NAMESPACE]) {
      await this.#target.json('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      });
    }
  }

  async #one(index: number): Promise<void> {
    const request = this.#generator.request(index);
    const startedAt = Date.now();
    this.#inFlight.set(index, request);
    try {
      const reply = await this.#target.send(request);
      this.#statuses[reply.status] = (this.#statuses[reply.status] ?? 0) + 1;
      const wrong = judge(request, reply);
      if (wrong !== undefined) this.#report(index, wrong, request);
      if (!reply.cut) this.#timed(index, reply.durationMs, request);
    } catch (error) {
      this.#statuses['none'] = (this.#statuses['none'] ?? 0) + 1;
      const { code = '', message } = error as NodeJS.ErrnoException;
      // The server hangs up on what it refuses to read: too large a body, or no HTTP.
      const expected = ['EPIPE', 'ECONNRESET'].includes(code) && (request.body?.length ?? 0) > 1_000_000;
      if (!expected) this.#report(index, `no answer: ${code} ${message}`, request);
    } finally {
      this.#inFlight.delete(index);
      this.#recent.push({ index, startedAt, endedAt: Date.now(), request });
      if (this.#recent.length > 300) this.#recent.shift();
    }
    this.#areas[request.area] = (this.#areas[request.area] ?? 0) + 1;
    this.#done++;
  }

  async #attack(index: number): Promise<void> {
    const random = new Random(this.#options.seed, index);
    const { name, run } = random.pick(rawAttacks);
    const request: FuzzRequest = { area: 'raw', method: name, path: '', headers: {} };
    const startedAt = Date.now();
    this.#inFlight.set(index, request);
    const wrong = await run(this.#options.credentials, random).catch(
      (error: unknown) => `the attack failed: ${String(error)}`,
    );
    this.#inFlight.delete(index);
    this.#recent.push({ index, startedAt, endedAt: Date.now(), request });
    if (wrong !== undefined) this.#report(index, wrong, request);
    this.#areas['raw'] = (this.#areas['raw'] ?? 0) + 1;
    this.#done++;
  }

  #stalled(stall: Stall): void {
    const end = stall.startedAt + stall.tookMs;
    const suspects = this.#recent
      .filter(({ startedAt, endedAt }) => endedAt >= end - 50 && startedAt <= end)
      .concat([...this.#inFlight].map(([index, request]) => ({ index, startedAt: 0, endedAt: 0, request })))
      .map(({ index, request }) => `#${index} ${describe(request).slice(0, 100)}`);
    this.#options.log?.(
      `stall of ${stall.stallMs.toFixed(0)} ms (${stall.tookMs.toFixed(0)}): ${suspects.join(' | ')}`,
    );
  }

  #report(index: number, what: string, request: FuzzRequest): void {
    const key = what.slice(0, 60);
    const count = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, count);
    if (count > 3 || this.#findings.length >= FINDINGS_MAX) return;
    const finding = { index, what, request: describe(request) };
    this.#findings.push(finding);
    this.#options.log?.(`finding #${index}: ${what}\n    ${finding.request}`);
  }

  #timed(index: number, ms: number, request: FuzzRequest): void {
    this.#slow.push({ ms, text: `#${index} ${describe(request).slice(0, 140)}` });
    if (this.#slow.length < 100) return;
    this.#slow.sort((a, b) => b.ms - a.ms);
    this.#slow.length = 10;
  }

  #progress(started: number): string {
    const seconds = (performance.now() - started) / 1000;
    const rss = (residentBytes(this.#options.pid) / 2 ** 20).toFixed(0);
    return `${this.#done} requests in ${seconds.toFixed(0)} s, ${rss} MiB, longest stall ${this.#canary.longest.stallMs.toFixed(0)} ms, ${this.#findings.length} findings`;
  }
}

export function describe(request: FuzzRequest): string {
  const body =
    request.body === undefined
      ? ''
      : ` (${request.body.length}) ${JSON.stringify(request.body.subarray(0, 300).toString())}`;
  return `${request.area}: ${request.method} ${request.path.slice(0, 300)} ${JSON.stringify(request.headers).slice(0, 200)}${body}`;
}

/** The memory that stays: what is free is given back a little after the work ends. */
async function settledBytes(pid: number): Promise<number> {
  let least = residentBytes(pid);
  for (let i = 0; i < SETTLE_LOOKS; i++) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
    least = Math.min(least, residentBytes(pid));
  }
  return least;
}

export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}
