import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.ts';
import { ensureAuthority } from './authority.ts';
import { ensureRequestedLeaf, renewalMs } from './requested-leaf.ts';
import { inspectCertificateRequest, signCertificateRequest } from './sign.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'requested-leaf-'));
});
afterAll(() => rm(dir, { recursive: true }));

const DAY_MS = 86_400_000;
const profile = {
  name: 'kubelet-serving',
  commonName: 'system:node:a',
  organizations: ['system:nodes'],
  usage: 'server',
  alternativeNames: ['a', '192.0.2.1'],
} as const;

test('a certificate is asked for once, and again near its end or for other names', async () => {
  const clock = new FakeClock();
  const authority = await ensureAuthority(dir, 'ca', clock);
  const asked: unknown[] = [];
  const request = async (pem: string): Promise<string> => {
    asked.push(await inspectCertificateRequest(pem));
    return signCertificateRequest(authority, pem, {
      usages: ['server auth'],
      durationMs: 100 * DAY_MS,
      nowMs: clock.now(),
    });
  };
  const ensure = (more = {}) =>
    ensureRequestedLeaf(join(dir, 'own'), authority.certificatePEM, { ...profile, ...more }, { clock, request });
  const first = await ensure();
  expect(asked).toEqual([
    {
      commonName: 'system:node:a',
      organizations: ['system:nodes'],
      dnsNames: ['a'],
      ipAddresses: ['192.0.2.1'],
      emailAddresses: [],
      uris: [],
    },
  ]);
  expect(await ensure()).toEqual(first);
  expect(asked).toHaveLength(1);
  expect(Math.round((renewalMs(first.certificatePEM) - clock.now()) / DAY_MS)).toBe(75);
  await clock.advance(76 * DAY_MS);
  const renewed = await ensure();
  expect(renewed.keyPEM).not.toBe(first.keyPEM);
  await ensure({ alternativeNames: ['a', '192.0.2.9'] });
  expect(asked).toHaveLength(3);
});
