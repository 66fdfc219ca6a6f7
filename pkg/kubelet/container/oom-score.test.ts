import { expect, test } from 'vitest';
import type { Container, Pod } from '../types.ts';
import { oomScoreAdj } from './oom-score.ts';

const NODE_BYTES = 1000;

function container(name: string, memory?: string, more: object = {}): Container {
  const resources = memory === undefined ? {} : { resources: { requests: { memory } } };
  return { name, ...resources, ...more } as unknown as Container;
}
function pod(containers: readonly Container[], more: object = {}): Pod {
  return { metadata: { name: 'p' }, spec: { containers, ...more } } as unknown as Pod;
}
const sidecar = (memory?: string): Container => container('side', memory, { restartPolicy: 'Always' });
const limits = { cpu: '1', memory: '1' };
const main = container('main', '100');
const critical = { priority: 2_000_001_000, priorityClassName: 'system-node-critical' };

test.each([
  ['what asks for nothing dies first', pod([container('main')]), container('main'), 1000],
  [
    'what is guaranteed dies last',
    pod([container('main', undefined, { resources: { limits, requests: limits } })]),
    container('main'),
    -997,
  ],
  ['so does what is critical to the node', pod([container('main')], critical), container('main'), -997],
  [
    'but not what only the cluster needs',
    pod([container('main')], { priority: 2_000_000_000, priorityClassName: 'system-cluster-critical' }),
    container('main'),
    1000,
  ],
  ['others by what they ask for', pod([main]), main, 900],
  ['no later than what is guaranteed', pod([main]), container('main', '1k'), 3],
  ['no sooner than what asks for nothing', pod([main]), container('main'), 999],
  [
    'a sidecar with the least of its pod',
    pod([main, container('b', '30')], { initContainers: [sidecar()] }),
    sidecar(),
    970,
  ],
  ['a sidecar that asks for more', pod([main], { initContainers: [sidecar('200')] }), sidecar('200'), 800],
  [
    'with a share of what the pod asks for as a whole',
    pod([main, container('b')], { resources: { requests: { memory: '300' } } }),
    main,
    800,
  ],
  [
    'as a sidecar of such a pod has',
    pod([main], { initContainers: [sidecar()], resources: { requests: { memory: '200' } } }),
    sidecar(),
    850,
  ],
])('%s', (_, of, one, score) => {
  expect(oomScoreAdj(of, one, NODE_BYTES)).toBe(score);
});
