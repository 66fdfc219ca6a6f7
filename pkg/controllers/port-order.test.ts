import { expect, test } from 'vitest';
import { inUpstreamsOrder } from './port-order.ts';

// As upstream's own code sorts these.
test('ports are sorted by the hash that upstream sorts them by', () => {
  const sorted = [
    { name: 'http', protocol: 'TCP', port: 8080 },
    { name: 'admin', protocol: 'TCP', port: 9000, appProtocol: 'kubernetes.io/h2c' },
    { name: 'dns', protocol: 'UDP', port: 53 },
    { name: 'a b', protocol: 'TCP', port: 443, appProtocol: 'https' },
    { name: '', protocol: 'SCTP', port: 1 },
  ];
  expect(inUpstreamsOrder(sorted.toReversed())).toEqual(sorted);
  expect(inUpstreamsOrder([])).toEqual([]);
});
