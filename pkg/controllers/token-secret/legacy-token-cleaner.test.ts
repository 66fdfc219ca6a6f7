import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { Secret, ServiceAccount } from '../../api/generated/types.ts';
import { TRACKING_CONFIG_MAP } from '../../api/legacy-tokens.ts';
import { startControllers } from '../testing.ts';
import { newLegacyTokenCleaner, verdictOn } from './legacy-token-cleaner.ts';

const DAY_MS = 86_400_000;
const now = Date.UTC(2026, 5, 30, 12);
const invalidSince = 'kubernetes.io/legacy-token-invalid-since';
const lastUsed = 'kubernetes.io/legacy-token-last-used';
const account = { metadata: { name: 'bot', uid: 'u' }, secrets: [{ name: 't' }] } as ServiceAccount;

const secret = (labels: Record<string, string> = {}, more: object = {}): Secret =>
  ({
    metadata: {
      name: 't',
      creationTimestamp: '2024-01-01T00:00:00Z',
      annotations: { 'kubernetes.io/service-account.name': 'bot', 'kubernetes.io/service-account.uid': 'u' },
      labels,
      ...more,
    },
    type: 'kubernetes.io/service-account-token',
  }) as unknown as Secret;

test.each<[string, Secret, ServiceAccount | undefined, boolean, string]>([
  ['never used', secret(), account, false, 'give up'],
  ['used more than a year ago', secret({ [lastUsed]: '2025-06-29' }), account, false, 'give up'],
  ['used a year ago', secret({ [lastUsed]: '2025-06-30' }), account, false, 'keep'],
  ['used nobody knows when', secret({ [lastUsed]: 'soon' }), account, false, 'keep'],
  ['used by a pod', secret(), account, true, 'keep'],
  ['young', secret({}, { creationTimestamp: '2025-07-01T00:00:00Z' }), account, false, 'keep'],
  ['going', secret({}, { deletionTimestamp: '2026-06-30T00:00:00Z' }), account, false, 'keep'],
  ['made by somebody', secret(), { ...account, secrets: [] }, false, 'keep'],
  ['of no account', secret(), undefined, false, 'keep'],
  ['of another account', secret(), { ...account, metadata: { ...account.metadata, uid: 'v' } }, false, 'keep'],
  ['of another type', { ...secret(), type: 'Opaque' }, account, false, 'keep'],
  ['given up lately', secret({ [invalidSince]: '2025-06-30' }), account, false, 'keep'],
  ['given up nobody knows when', secret({ [invalidSince]: 'x' }), account, false, 'give up'],
  ['given up long ago', secret({ [invalidSince]: '2025-06-29' }), account, false, 'delete'],
  [
    'given up long ago, and used',
    secret({ [invalidSince]: '2025-01-01', [lastUsed]: '2026-06-01' }),
    account,
    false,
    'keep',
  ],
])('a token that is %s', (_, token, owner, isUsed, verdict) => {
  expect(verdictOn(token, owner, () => isUsed, now)).toBe(verdict);
});

test('tokens are given up after a year of tracking, and deleted after another', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newLegacyTokenCleaner(deps)]);
  const start = new Date(clock.now()).toISOString();
  cluster.add(resources.serviceaccounts, {
    metadata: { namespace: 'n', name: 'bot', uid: 'u' },
    secrets: [{ name: 't' }, { name: 'mounted' }],
  });
  const { metadata, type } = secret();
  for (const name of ['t', 'mounted'])
    cluster.add(resources.secrets, { metadata: { ...metadata, namespace: 'n', name, creationTimestamp: start }, type });
  cluster.add(resources.pods, {
    metadata: { namespace: 'n', name: 'p' },
    spec: { containers: [], volumes: [{ name: 'v', secret: { secretName: 'mounted' } }] },
  });
  const labels = () => cluster.get(resources.secrets, { namespace: 'n', name: 't' })?.metadata.labels;
  await clock.advance(10);
  cluster.add(resources.configmaps, { metadata: TRACKING_CONFIG_MAP, data: { since: start.slice(0, 10) } });
  await clock.advance(365 * DAY_MS);
  expect(labels()).toEqual({});
  await clock.advance(2 * DAY_MS);
  expect(labels()).toHaveProperty(invalidSince);
  await clock.advance(368 * DAY_MS);
  expect(cluster.list(resources.secrets).map((one) => one.metadata.name)).toEqual(['mounted']);
  await stop();
});
