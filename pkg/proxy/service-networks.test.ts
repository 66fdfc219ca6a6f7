import { expect, test } from 'vitest';
import { planServiceNetworks } from './service-networks.ts';

test.each<[readonly string[], readonly string[]]>([
  [['10.43.0.0/16'], ['service-networks4 10.43.0.0/16']],
  [
    ['10.43.1.0/24', 'fd00::/112', '10.43.0.0/16', '10.43.0.0/16', '10.44.0.0/24'],
    ['service-networks4 10.43.0.0/16', 'service-networks4 10.44.0.0/24', 'service-networks6 fd00::/112'],
  ],
  [['nonsense', '10.43.0.0/99'], []],
])('%j', (cidrs, expected) => {
  expect(planServiceNetworks(cidrs).elements.map(({ set, key }) => `${set} ${key}`)).toEqual(expected);
});
