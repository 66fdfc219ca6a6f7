import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock, systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMetrics, type Metrics } from '../../base/metrics.ts';
import { RestClientMetrics } from '../../client/index.ts';
import { AuditFailure } from './auditor.ts';
import { AuditEvent } from './event.ts';
import { EventBuffer, SinkMetrics } from './event-buffer.ts';
import { LogSink, type LogSinkOptions } from './log-sink.ts';
import { RotatingFile } from './rotating-file.ts';
import { WebhookSink, type WebhookSinkOptions } from './webhook-sink.ts';

let directory: string;
let metrics: Metrics;
let shared: SinkMetrics | undefined;
beforeEach(async () => {
  shared = undefined;
  directory = await mkdtemp(join(tmpdir(), 'audit-'));
  metrics = createMetrics();
});
afterEach(() => rm(directory, { recursive: true }));

function event(auditID: string, size = 0): AuditEvent {
  return new AuditEvent({
    level: 'Request',
    auditID,
    stage: 'ResponseComplete',
    requestURI: '/x',
    verb: 'get',
    user: undefined,
    impersonatedUser: undefined,
    impersonationConstraint: '',
    sourceIPs: [],
    userAgent: '',
    objectRef: undefined,
    responseStatus: undefined,
    requestObject: JSON.stringify('x'.repeat(size)),
    responseObject: undefined,
    requestReceivedTimestamp: '',
    stageTimestamp: '',
    annotations: {},
  });
}

const count = async (name: string): Promise<number> =>
  ((await metrics.getSingleMetric(name)?.get())?.values ?? []).reduce((sum, { value }) => sum + value, 0);

describe('the buffer', () => {
  const limits = { maxEvents: 3, maxLength: 10_000 };

  test('drops what does not fit, and counts it', async () => {
    const buffer = new EventBuffer('log', limits, new SinkMetrics(metrics));
    for (let i = 0; i < 5; i++) buffer.push(event(`e${i}`));
    buffer.take(1, 1000);
    buffer.push(event('large', 9_900));
    expect(buffer.take(10, 1e6).map((one) => one.event.fields.auditID)).toEqual(['e1', 'e2']);
    expect(await count('kube_lite_audit_dropped_events_total')).toBe(3);
    expect(await count('apiserver_audit_error_total')).toBe(3);
  });

  test('truncates what is too large for one event', () => {
    const buffer = new EventBuffer('log', { ...limits, maxEventLength: 1000 }, new SinkMetrics(metrics));
    buffer.push(event('large', 2000));
    const [kept] = buffer.take(1, 1000);
    expect(kept?.event.fields).toMatchObject({
      requestObject: undefined,
      annotations: { 'audit.k8s.io/truncated': 'true' },
    });
  });

  test('gives out batches by number and by length', () => {
    const buffer = new EventBuffer('log', { maxEvents: 10, maxLength: 1e6 }, new SinkMetrics(metrics));
    for (let i = 0; i < 6; i++) buffer.push(event(`e${i}`, 1000));
    expect([buffer.take(2, 1e6).length, buffer.take(5, 3000).length, buffer.take(5, 1).length]).toEqual([2, 2, 1]);
  });
});

describe('the file', () => {
  test('is put aside when it is full; old ones go', async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 2, 3, 4, 5));
    const path = join(directory, 'audit.log');
    await writeFile(join(directory, 'audit-notes.log'), 'not ours');
    const file = new RotatingFile({ path, maxBytes: 10, maxAgeMs: 10_000, maxBackups: 2, compress: false }, clock);
    for (const text of ['aaaaaaaa', 'bbbb', 'cccccccc', 'dddddddd']) {
      await file.append(text);
      await clock.advance(1000);
    }
    expect(await readFile(path, 'utf8')).toBe('dddddddd');
    expect((await readdir(directory)).sort()).toEqual([
      'audit-2026-01-02T03-04-07.000.log',
      'audit-2026-01-02T03-04-08.000.log',
      'audit-notes.log',
      'audit.log',
    ]);
    await clock.advance(20_000);
    await file.append('eeee');
    await file.append('ffff');
    expect((await readdir(directory)).filter((name) => name.startsWith('audit-2'))).toHaveLength(1);
    await file.close();
  });

  test('goes on with the file that is there', async () => {
    const path = join(directory, 'audit.log');
    await writeFile(path, 'before');
    const file = new RotatingFile({ path, maxBytes: 10, maxAgeMs: 0, maxBackups: 0, compress: false }, new FakeClock());
    await file.append('now');
    await file.close();
    expect(await readFile(path, 'utf8')).toBe('beforenow');
  });

  test('takes all events before it ends, a line each', async () => {
    const path = join(directory, 'sub/audit.log');
    const stop = new AbortController();
    const sink = logSink({ path });
    const done = sink.run(stop.signal);
    for (let i = 0; i < 5; i++) void sink.take(event(`e${i}`));
    stop.abort();
    await done;
    const lines = (await readFile(path, 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).auditID)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
  });

  test('that cannot be written costs its events only', async () => {
    const stop = new AbortController();
    const sink = logSink({ path: directory });
    void sink.take(event('e'));
    stop.abort();
    await sink.run(stop.signal);
    expect(await count('apiserver_audit_error_total')).toBe(1);
  });

  test('that blocks is waited for, also when it fails; one that is strict says that it has failed', async () => {
    const stop = new AbortController();
    const path = join(directory, 'audit.log');
    const running = [
      [logSink({ path, mode: 'blocking', format: 'legacy' }), undefined],
      [logSink({ path: directory, mode: 'blocking' }), undefined],
      [logSink({ path: directory, mode: 'blocking-strict' }), AuditFailure],
    ] as const;
    const done = Promise.all(running.map(([sink]) => sink.run(stop.signal)));
    for (const [sink, failure] of running) {
      const taken = sink.take(event('e'));
      if (failure === undefined) expect(await taken).toBeUndefined();
      else await expect(taken).rejects.toThrow(failure);
    }
    expect(await readFile(path, 'utf8')).toMatch(
      / AUDIT: id="e" stage="ResponseComplete" ip="<unknown>" method="get" user="<none>"/,
    );
    stop.abort();
    await done;
  });

  test('is compressed when it has been put aside', async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 2, 3, 4, 5));
    const path = join(directory, 'audit.log');
    const file = new RotatingFile({ path, maxBytes: 10, maxAgeMs: 0, maxBackups: 1, compress: true }, clock);
    for (const text of ['aaaaaaaa', 'bbbbbbbb', 'cccccccc']) {
      await file.append(text);
      await file.close();
      await clock.advance(1000);
    }
    const aside = 'audit-2026-01-02T03-04-07.000.log.gz';
    expect((await readdir(directory)).sort()).toEqual([aside, 'audit.log']);
    expect(gunzipSync(await readFile(join(directory, aside))).toString()).toBe('bbbbbbbb');
  });
});

function logSink(more: Partial<LogSinkOptions>): LogSink {
  const rotation = { path: '', maxBytes: 0, maxAgeMs: 0, maxBackups: 0, compress: false };
  const batch = {
    mode: 'batch',
    format: 'json',
    maxEvents: 100,
    maxLength: 1e6,
    batchMaxEvents: 1,
    batchMaxWaitMs: 0,
  } as const;
  const deps = { clock: systemClock, logger: silentLogger, metrics: sinkMetrics() };
  return new LogSink({ ...rotation, ...batch, ...more }, deps);
}

/** Of all sinks of a test. */
function sinkMetrics(): SinkMetrics {
  shared ??= new SinkMetrics(metrics);
  return shared;
}

describe('the webhook', () => {
  let hook: Server;
  let answer: (response: ServerResponse) => void;
  const lists: { kind: string; apiVersion: string; items: { auditID: string }[] }[] = [];
  beforeEach(async () => {
    lists.length = 0;
    answer = (response) => response.end('{}');
    hook = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      lists.push(JSON.parse(body));
      answer(response);
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    hook.closeAllConnections();
    hook.close();
  });

  function start(more: Partial<WebhookSinkOptions> = {}) {
    const stop = new AbortController();
    const { port } = hook.address() as AddressInfo;
    const sink = new WebhookSink(
      {
        target: { server: `http://127.0.0.1:${port}/events?k=v` },
        maxEvents: 100,
        maxLength: 1e6,
        batchMaxEvents: 3,
        batchMaxWaitMs: 50,
        batchMaxLength: 1e6,
        initialBackoffMs: 10,
        mode: 'batch',
        throttle: { qps: 1000, burst: 1000 },
        ...more,
      },
      {
        clock: systemClock,
        logger: silentLogger,
        metrics: sinkMetrics(),
        requests: new RestClientMetrics(createMetrics()),
      },
    );
    const done = sink.run(stop.signal);
    const end = async (): Promise<void> => {
      stop.abort();
      await done;
    };
    return { sink, end };
  }

  const received = (): string[] => lists.flatMap(({ items }) => items.map(({ auditID }) => auditID));
  const until = async (check: () => boolean | Promise<boolean>): Promise<void> => {
    await expect.poll(check, { interval: 5 }).toBe(true);
  };

  test('gets batches: full ones at once, others after a while', async () => {
    const { sink, end } = start();
    for (let i = 0; i < 4; i++) void sink.take(event(`e${i}`));
    await until(() => received().length === 4);
    expect(lists).toMatchObject([{ kind: 'EventList', apiVersion: 'audit.k8s.io/v1' }, { items: [{ auditID: 'e3' }] }]);
    await end();
  });

  test('is asked again when it fails, but not when it refuses', async () => {
    let failures = 2;
    answer = (response) => {
      response.statusCode = failures-- > 0 ? 503 : 200;
      response.end();
    };
    const { sink, end } = start();
    void sink.take(event('again'));
    await until(() => received().length === 3);
    answer = (response) => response.writeHead(400).end();
    void sink.take(event('refused'));
    await until(async () => (await count('apiserver_audit_error_total')) === 1);
    expect(received()).toEqual(['again', 'again', 'again', 'refused']);
    await end();
  });

  test('that hangs or floods costs events, never memory', async () => {
    const flood = Buffer.alloc(64 * 1024, 'x');
    answer = (response) => {
      const more = (): void => {
        if (!response.destroyed) response.write(flood, () => setImmediate(more));
      };
      more();
    };
    const { sink, end } = start({ maxEvents: 5 });
    void sink.take(event('first'));
    await until(() => received().length >= 1);
    answer = () => {};
    for (let i = 0; i < 50; i++) void sink.take(event(`e${i}`));
    expect(await count('kube_lite_audit_dropped_events_total')).toBeGreaterThanOrEqual(40);
    hook.closeAllConnections();
    answer = (response) => response.end();
    await end();
  });

  test('gets what is left when the server stops', async () => {
    const { sink, end } = start({ batchMaxWaitMs: 60_000 });
    void sink.take(event('last'));
    await end();
    expect(received()).toEqual(['last']);
  });

  test('that blocks is waited for', async () => {
    const { sink, end } = start({ mode: 'blocking' });
    await sink.take(event('e'));
    expect(received()).toEqual(['e']);
    await end();
    answer = (response) => response.writeHead(400).end();
    const strict = start({ mode: 'blocking-strict' });
    await expect(strict.sink.take(event('refused'))).rejects.toThrow(AuditFailure);
    await strict.end();
  });
});
