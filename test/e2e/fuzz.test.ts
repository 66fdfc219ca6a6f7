import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzz } from '../fuzz/fuzzer.ts';
import { FuzzedServer } from '../fuzz/server.ts';
import { missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.warn(`SKIPPED test/e2e/fuzz: ${missing}`);

const REQUESTS = 3000;
const LIMIT_MS = 60_000;
const GROWTH_MAX_BYTES = 400 * 2 ** 20;
/** The same requests every time; FUZZ_SEED gives others. Chance belongs to the long form. */
const seed = Number(process.env['FUZZ_SEED'] ?? 111_079);

let server: FuzzedServer;
beforeAll(async () => {
  if (missing === undefined) server = await FuzzedServer.start();
});
afterAll(() =>
  endAll(
    () => server?.stop(),
    () => server?.remove(),
  ),
);

test.skipIf(missing !== undefined)(`${REQUESTS} hostile requests, seed ${seed}`, async () => {
  const { credentials, pid } = server;
  const report = await fuzz({ credentials, pid, seed, requests: REQUESTS, limitMs: LIMIT_MS });
  console.log(
    `fuzz: seed ${seed}, ${report.requests} requests in ${report.seconds.toFixed(1)} s, longest stall ${report.longestStallMs.toFixed(0)} ms`,
  );
  expect(report.findings, `seed ${seed}`).toEqual([]);
  expect(report.golden, `seed ${seed}`).toEqual([]);
  expect(report.stalls, `seed ${seed}: the event loop stood still for over 200 ms`).toEqual([]);
  expect(report.canaryFailures).toEqual([]);
  expect(report.rssAfterBytes - report.rssBeforeBytes).toBeLessThan(GROWTH_MAX_BYTES);
  expect(server.isRunning, 'the server ended').toBe(true);
  expect(await server.log()).not.toMatch(/"msg":"(?:request failed|uncaught)/);
});

test.skipIf(missing !== undefined)('the server still stops in an orderly way', async () => {
  expect(await server.stop()).toBe(0);
});
