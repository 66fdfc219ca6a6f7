import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../../config/index.ts';
import {
  AUTHENTICATION_KIND,
  AUTHENTICATION_VERSIONS,
  type AuthenticationSettings,
  readAuthenticationConfig,
} from './authentication-config.ts';
import { mapClaims } from './map-claims.ts';

const RESERVED = 'https://kubernetes.default.svc';

async function read(text: string): Promise<AuthenticationSettings> {
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n';
  const root = await parseConfigFile('auth.yaml', head + text, AUTHENTICATION_VERSIONS, AUTHENTICATION_KIND);
  return readAuthenticationConfig(root, [RESERVED]);
}

const issuer = (more: string): string => `jwt:
- issuer:
    url: https://issuer.example.com
    audiences: [kube]
${more}`;
const SUB = "  claimMappings: {username: {claim: sub, prefix: ''}}\n";

const FULL = `jwt:
- issuer:
    url: https://issuer.example.com
    discoveryURL: https://keys.example.com/.well-known/openid-configuration
    audiences: [kube, other]
    audienceMatchPolicy: MatchAny
  claimValidationRules:
  - {claim: hd, requiredValue: example.com}
  - {expression: 'claims.exp - claims.iat <= 3600', message: lives too long}
  claimMappings:
    username: {expression: "'oidc:' + claims.name"}
    groups: {expression: 'claims.roles.map(role, "role-" + role)'}
    uid: {claim: sub}
    extra: [{key: example.com/tenant, valueExpression: claims.tenant}]
  userValidationRules:
  - {expression: "!user.username.startsWith('oidc:system:')", message: reserved name}
anonymous: {enabled: true, conditions: [{path: /livez}]}
`;
const CLAIMS = { sub: '7', hd: 'example.com', iat: 100, exp: 200, name: 'ann', roles: ['a', 'b'], tenant: 't' };

test('a configuration with everything', async () => {
  const { issuers, anonymous } = await read(FULL);
  expect(anonymous).toEqual({ enabled: true, paths: ['/livez'] });
  expect(issuers).toMatchObject([{ url: 'https://issuer.example.com', audiences: ['kube', 'other'] }]);
  expect(mapClaims(CLAIMS, issuers[0]!)).toEqual({
    username: 'oidc:ann',
    uid: '7',
    groups: ['role-a', 'role-b'],
    extra: { 'example.com/tenant': ['t'] },
  });
});

test('an empty configuration', async () => {
  expect(await read('')).toEqual({ issuers: [], anonymous: undefined });
});

describe('claims are refused', () => {
  test.each([
    [{ hd: undefined }, 'required claim hd not present in ID token'],
    [{ hd: 'evil.com' }, 'required claim hd value does not match. Got = evil.com, want = example.com'],
    [{ exp: 10_000 }, "validation expression 'claims.exp - claims.iat <= 3600' failed: lives too long"],
    [{ exp: 'soon' }, 'resulted in error'],
    [{ name: 'system:x' }, 'failed: reserved name'],
    [{ name: undefined }, 'no such key: name'],
    [{ roles: 7 }, 'resulted in error'],
    [{ tenant: { a: 1 } }, 'gave neither a text nor a list of texts'],
    [{ sub: 7 }, 'the uid is no text'],
  ])('%j', async (change, message) => {
    const { issuers } = await read(FULL);
    const claims = Object.fromEntries(
      Object.entries({ ...CLAIMS, ...change }).filter(([, value]) => value !== undefined),
    );
    expect(() => mapClaims(claims, issuers[0]!)).toThrow(message);
  });
});

describe('claims by name', () => {
  test.each([
    [
      { sub: 'a', groups: ['x', 'y'] },
      { username: 'u:a', groups: ['g:x', 'g:y'] },
    ],
    [
      { sub: 'a', groups: 'x' },
      { username: 'u:a', groups: ['g:x'] },
    ],
    [{ sub: 'a' }, { username: 'u:a', groups: [] }],
  ])('%j', async (claims, user) => {
    const text = "  claimMappings: {username: {claim: sub, prefix: 'u:'}, groups: {claim: groups, prefix: 'g:'}}\n";
    const { issuers } = await read(issuer(text));
    expect(mapClaims(claims, issuers[0]!)).toEqual(user);
  });

  test('groups that are kept elsewhere are refused by name', async () => {
    const text = "  claimMappings: {username: {claim: sub, prefix: ''}, groups: {claim: groups, prefix: ''}}\n";
    const { issuers } = await read(issuer(text));
    const claims = { sub: 'a', _claim_names: { groups: 'src1' } };
    expect(() => mapClaims(claims, issuers[0]!)).toThrow(
      'the groups claim groups is a distributed claim: not supported',
    );
  });

  test('an address must be verified', async () => {
    const { issuers } = await read(issuer("  claimMappings: {username: {claim: email, prefix: ''}}\n"));
    const email = 'a@example.com';
    expect(mapClaims({ email }, issuers[0]!).username).toBe(email);
    expect(mapClaims({ email, email_verified: true }, issuers[0]!).username).toBe(email);
    expect(() => mapClaims({ email, email_verified: false }, issuers[0]!)).toThrow('email not verified');
    expect(() => mapClaims({ email, email_verified: 'true' }, issuers[0]!)).toThrow('email not verified');
  });
});

describe('a wrong configuration names file, line and field', () => {
  test.each([
    ['jwt:\n- isuer: {}\n', 'auth.yaml:4: jwt[0].isuer: unknown field; did you mean "issuer"?'],
    ['jwt:\n- issuer: {url: http://x, audiences: [a]}\n', 'auth.yaml:4: jwt[0].issuer.url: URL scheme must be https'],
    ['jwt:\n- issuer: {audiences: [a]}\n', 'auth.yaml:4: jwt[0].issuer.url: is required'],
    [
      `jwt:\n- issuer: {url: '${RESERVED}', audiences: [a]}\n`,
      `auth.yaml:4: jwt[0].issuer.url: URL must not overlap with disallowed issuers: ${RESERVED}`,
    ],
    [issuer(''), 'jwt[0].claimMappings.username: claim or expression is required'],
    [
      issuer('  claimMappings: {username: {claim: sub}}\n'),
      'auth.yaml:7: jwt[0].claimMappings.username.prefix: prefix is required',
    ],
    [
      issuer('  claimMappings:\n    username:\n      expression: claims.\n'),
      'auth.yaml:9: jwt[0].claimMappings.username.expression: compilation failed',
    ],
    [
      issuer('  claimMappings: {username: {expression: "1"}}\n'),
      'jwt[0].claimMappings.username.expression: must evaluate to one of [string dyn] but got int',
    ],
    [
      issuer('  claimMappings: {username: {expression: claims.email}}\n'),
      'jwt[0].claimMappings.username.expression: claims.email_verified must be used',
    ],
    [issuer(`  claimValidationRules: [{}]\n${SUB}`), 'jwt[0].claimValidationRules[0]: claim or expression is required'],
    [
      issuer(
        `  claimMappings: {username: {claim: a, prefix: ''}, extra: [{key: k8s.io/a, valueExpression: claims.a}]}\n`,
      ),
      'jwt[0].claimMappings.extra[0].key: k8s.io, kubernetes.io and their subdomains are reserved',
    ],
    [issuer(SUB) + issuer(SUB).slice(5), 'auth.yaml:9: jwt[1].issuer.url: Duplicate value'],
    [
      'jwt:\n- issuer: {url: https://x, audiences: [a, b]}\n',
      'audienceMatchPolicy must be MatchAny for multiple audiences',
    ],
    ['anonymous: {enabled: false, conditions: [{path: /x}]}\n', 'anonymous.conditions: enabled should be set to true'],
    [
      'jwt:\n- issuer: {url: https://x, audiences: [a], certificateAuthority: x}\n',
      'certificateAuthority: holds no certificate',
    ],
    [
      'jwt:\n- issuer: {url: https://x, audiences: [a], egressSelectorType: cluster}\n',
      'egress selectors are not supported',
    ],
  ])('%s', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
