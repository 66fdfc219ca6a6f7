import { expect, test } from 'vitest';
import { checksOf, diagnose, failuresIn, type Target } from './checks.ts';

const [one, two] = [
  { name: 'one', address: '192.0.2.1' },
  { name: 'two', address: '192.0.2.2' },
];
const target = (node: typeof one, index: number): Target => ({
  node,
  podIP: `10.42.${index}.5`,
  clusterIP: `10.43.0.${index}`,
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
