import { expect, test } from 'vitest';
import { checksOf, diagnose, failuresIn, type Target } from './checks.ts';

const [one, two] = [
  { name: 'one', addresses: ['192.0.2.1'] },
  { name: 'two', addresses: ['192.0.2.2'] },
];
const target = (node: typeof one, index: number): Target => ({
  node,
  podIPs: [`10.42.${index}.5`],
  clusterIPs: [`10.43.0.${index}`],
  nodePort: 30_000 + index,
  says: `s${index}`,
  hostname: `n${index}.d.svc.cluster.local`,
});
const checks = checksOf([target(one, 1), target(two, 2)]);

test('every node is tried in four ways', () => {
  expect(checks.map(({ argument }) => argument)).toEqual([
    'tcp,10.42.1.5,8080,s1',
    'tcp,10.43.0.1,80,s1',
    'tcp,192.0.2.1,30001,s1',
    'dns,n1.d.svc.cluster.local,10.43.0.1',
    'tcp,10.42.2.5,8080,s2',
    'tcp,10.43.0.2,80,s2',
    'tcp,192.0.2.2,30002,s2',
    'dns,n2.d.svc.cluster.local,10.43.0.2',
  ]);
});

test.each<[string, string, readonly RegExp[] | undefined]>([
  ['nothing is wrong', 'done\n', []],
  ['the probe was cut short', '4 no answer\n', undefined],
  [
    'no way between the nodes: said once, with the cause',
    '4 no answer\n5 no answer\n6 no answer\ndone\n',
    [/^pod on one to pod on two \(10.42.2.5:8080\): no answer\n.*192.0.2.1 to 192.0.2.2.*8472/],
  ],
  [
    'packets of full size get lost',
    '4 only small packets arrive\n5 only small packets arrive\ndone\n',
    [/^pod on one to pod on two .*: only small packets arrive\n.*between 192.0.2.1 and 192.0.2.2 .*MTU/],
  ],
  ['no way on the node itself', '0 no answer\n1 no answer\ndone\n', [/its own pods/]],
  ['only the Service', '5 refused\ndone', [/Service 10.43.0.2:80.*refused\n.*service proxy of one/]],
  ['only the node port', '6 no answer\ndone', [/node port 192.0.2.2:30002.*\n.*firewall on two/]],
  [
    'names',
    '3 10.43.0.10: no answer\n7 10.43.0.10: no answer\ndone',
    [/looking up n1.*and 1 other names.*no answer\n.*DNS of one/],
  ],
])('%s', (_, message, expected) => {
  const failures = failuresIn(message, one, checks);
  const findings = failures === undefined ? undefined : diagnose(failures);
  expect(findings).toEqual(expected?.map((pattern) => expect.stringMatching(pattern)));
});

test('both families are tried, and what is wrong with both is said once', () => {
  const node = { name: 'one', addresses: ['192.0.2.1', '2001:db8::1'] };
  const dual = checksOf([
    { ...target(node, 1), podIPs: ['10.42.1.5', 'fd42::5'], clusterIPs: ['10.43.0.1', 'fd43::1'] },
  ]);
  expect(dual.map(({ argument }) => argument)).toEqual([
    'tcp,10.42.1.5,8080,s1',
    'tcp,fd42::5,8080,s1',
    'tcp,10.43.0.1,80,s1',
    'tcp,fd43::1,80,s1',
    'tcp,192.0.2.1,30001,s1',
    'tcp,2001:db8::1,30001,s1',
    'dns,n1.d.svc.cluster.local,10.43.0.1',
    'dns,n1.d.svc.cluster.local,fd43::1',
  ]);
  const found = (message: string) => diagnose(failuresIn(message, node, dual) ?? []);
  expect(found('2 refused\n3 refused\ndone')).toEqual([expect.stringMatching(/Service 10.43.0.1:80, \[fd43::1\]:80 /)]);
  expect(found('1 no answer\n2 no answer\n3 no answer\ndone')).toEqual([
    expect.stringMatching(/to pod on one \(\[fd42::5\]:8080\): no answer/),
    expect.stringMatching(/to Service 10.43.0.1:80 of/),
  ]);
  expect(found('6 code 2\n7 code 2\ndone')).toEqual([expect.stringMatching(/looking up n1\S+: code 2/)]);
});
