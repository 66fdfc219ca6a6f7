import { describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { FakeClock } from '../../base/clock.ts';
import { FakeReader } from '../authorization/testing/fake-reader.ts';
import { BootstrapTokens } from './bootstrap-token.ts';
import { parseTokenFile } from './static-token.ts';

const TOKEN = 'abcdef.0123456789abcdef';
const GOOD = { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true' };

function authenticate(data: Record<string, string>, token = TOKEN, type = 'bootstrap.kubernetes.io/token') {
  const reader = new FakeReader();
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  reader.put(resources.secrets, {
    metadata: { namespace: 'kube-system', name: 'bootstrap-token-abcdef' },
    type,
    data: encoded,
  } as never);
  return new BootstrapTokens({ reader, clock: new FakeClock(Date.UTC(2026, 0, 1)) }).authenticateToken(token)?.user;
}

describe('BootstrapTokens', () => {
  it('knows a token by its Secret', () => {
    expect(authenticate(GOOD)).toEqual({ username: 'system:bootstrap:abcdef', groups: ['system:bootstrappers'] });
    const extra = {
      ...GOOD,
      'auth-extra-groups': 'system:bootstrappers:a,system:bootstrappers:b',
      expiration: '2026-01-02T00:00:00Z',
    };
    expect(authenticate(extra)?.groups).toEqual([
      'system:bootstrappers',
      'system:bootstrappers:a',
      'system:bootstrappers:b',
    ]);
  });

  it.each([
    ['another secret', GOOD, 'abcdef.ffffffffffffffff', undefined],
    ['another form', GOOD, 'abcdef', undefined],
    ['another type', GOOD, TOKEN, 'Opaque'],
    ['an end in the past', { ...GOOD, expiration: '2025-12-31T00:00:00Z' }, TOKEN, undefined],
    ['an end that is no time', { ...GOOD, expiration: 'soon' }, TOKEN, undefined],
    ['another use', { ...GOOD, 'usage-bootstrap-authentication': 'false' }, TOKEN, undefined],
    ['a group it may not give', { ...GOOD, 'auth-extra-groups': 'system:masters' }, TOKEN, undefined],
  ])('refuses %s', (_, data, token, type) => expect(authenticate(data, token, type)).toBeUndefined());
});

describe('parseTokenFile', () => {
  it('reads users and names the line that is wrong', () => {
    expect(parseTokenFile('t1,alice,1,"a,b"\n\nt2,bob,2\n')).toEqual([
      ['t1', { username: 'alice', uid: '1', groups: ['a', 'b'] }],
      ['t2', { username: 'bob', uid: '2', groups: [] }],
    ]);
    expect(() => parseTokenFile('t1,alice,1\nt2,bob')).toThrow(/line 2/);
  });
});
