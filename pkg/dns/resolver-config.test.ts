import { expect, test } from 'vitest';
import type { ConfigMap } from '../api/generated/types.ts';
import { parseResolverConfig, stubFor } from './resolver-config.ts';

const own = new Set(['10.43.0.10']);
const parse = (data: Record<string, string>) => parseResolverConfig({ data } as ConfigMap, own);

test('stub domains and upstream resolvers', () => {
  const { config, problems } = parse({
    stubDomains:
      '{"Acme.local.": ["192.0.2.1"], "a.acme.local": ["192.0.2.2:5353", "[2001:db8::1]:53", "2001:db8::2"]}',
    upstreamNameservers: '["198.51.100.1"]',
  });
  expect(problems).toEqual([]);
  expect(config.upstreams).toEqual([{ address: '198.51.100.1', port: 53 }]);
  expect(stubFor('acme.local', config.stubDomains)).toEqual([{ address: '192.0.2.1', port: 53 }]);
  expect(stubFor('www.acme.local', config.stubDomains)).toEqual([{ address: '192.0.2.1', port: 53 }]);
  expect(stubFor('x.y.a.acme.local', config.stubDomains)).toEqual([
    { address: '192.0.2.2', port: 5353 },
    { address: '2001:db8::1', port: 53 },
    { address: '2001:db8::2', port: 53 },
  ]);
  for (const name of ['local', 'notacme.local', '', 'example.com'])
    expect(stubFor(name, config.stubDomains), name).toBeUndefined();
});

test.each<[Record<string, string>, RegExp]>([
  [{ stubDomains: '{' }, /stubDomains: not JSON/],
  [{ stubDomains: '[]' }, /stubDomains: not an object/],
  [{ stubDomains: '{"a": "192.0.2.1"}' }, /a: not a list/],
  [{ stubDomains: '{"a": ["ns.example.com"]}' }, /"ns.example.com" is not an address/],
  [{ stubDomains: '{"a": ["10.43.0.10"]}' }, /10.43.0.10 is the cluster DNS itself/],
  [{ upstreamNameservers: '["192.0.2.1:99999"]' }, /is not an address/],
  [{ upstreamNameservers: '["192.0.2.1","192.0.2.2","192.0.2.3","192.0.2.4"]' }, /only the first 3/],
])('%j', (data, problem) => {
  const { config, problems } = parse(data);
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(config.stubDomains.size).toBe(0);
});

test('without the ConfigMap the host decides', () => {
  expect(parseResolverConfig(undefined, own)).toEqual({ config: { stubDomains: new Map() }, problems: [] });
});
