import { expect, test } from 'vitest';
import { podFixture } from '../testing/fixtures.ts';
import { extendedClaim } from './extended-resources.ts';

const GPU = 'example.com/gpu';

const container = (name: string, count: number, more: object = {}): object => ({
  name,
  resources: { requests: { cpu: '1', ...(count === 0 ? {} : { [GPU]: String(count) }) } },
  ...more,
});
const sidecar = { restartPolicy: 'Always' };

/** `request=count` of the requests, and `container:request` of the mappings. */
function outcome(initContainers: readonly object[], containers: readonly object[]): [string, string] {
  const pod = podFixture({ spec: { initContainers, containers } });
  const { claim, mappings } = extendedClaim(pod, new Map([[GPU, 'class']]));
  const requests = (claim.spec.devices?.requests ?? []).map(({ name, exactly }) => `${name}=${exactly?.count}`);
  return [
    requests.join(' '),
    mappings.map(({ containerName, requestName }) => `${containerName}:${requestName}`).join(' '),
  ];
}

test.each<[string, object[], object[], string, string]>([
  ['one container', [], [container('a', 2)], 'container-0-request-1=2', 'a:container-0-request-1'],
  [
    'containers that run together',
    [],
    [container('a', 1), container('b', 0), container('c', 3)],
    'container-0-request-1=1 container-2-request-1=3',
    'a:container-0-request-1 c:container-2-request-1',
  ],
  [
    'an init container uses what later ones will',
    [container('init', 1)],
    [container('a', 2)],
    'container-1-request-1=2',
    'a:container-1-request-1 init:container-1-request-1',
  ],
  [
    'an init container needs more',
    [container('init', 3)],
    [container('a', 2)],
    'container-0-request-1=1 container-1-request-1=2',
    'a:container-1-request-1 init:container-1-request-1 init:container-0-request-1',
  ],
  [
    'init containers share what they need alone',
    [container('first', 1), container('second', 4)],
    [container('a', 0)],
    'container-1-request-1=4',
    'first:container-1-request-1 second:container-1-request-1',
  ],
  [
    'a sidecar that started before has its own',
    [container('side', 1, sidecar), container('init', 1)],
    [container('a', 0)],
    'container-0-request-1=1 container-1-request-1=1',
    'side:container-0-request-1 init:container-1-request-1',
  ],
])('%s', (_name, inits, containers, requests, mappings) => {
  expect(outcome(inits, containers)).toEqual([requests, mappings]);
});
