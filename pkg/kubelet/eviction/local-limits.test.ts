import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { limitsLocalStorage, localStorageExcess } from './local-limits.ts';

const MiB = 2 ** 20;
const container = (name: string, limit?: string): object => ({
  name,
  ...(limit === undefined ? {} : { resources: { limits: { 'ephemeral-storage': limit } } }),
});
const pod = (containers: object[], volumes: object[] = []): Pod =>
  ({ spec: { containers, volumes } }) as unknown as Pod;
const scratch = (emptyDir: object): object => ({ name: 'scratch', emptyDir });

test.each<[string, Pod, Record<string, number>, Record<string, number>, string | undefined]>([
  ['nothing is limited', pod([container('a')]), { a: 9 * MiB }, {}, undefined],
  ['within the limit', pod([container('a', '1Mi')]), { a: MiB }, {}, undefined],
  [
    'over the pod’s limit',
    pod([container('a', '1Mi')]),
    { a: MiB + 1 },
    {},
    'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
  ],
  [
    'volumes count for the pod',
    pod([container('a', '1M'), container('b', '1Mi')], [scratch({})]),
    { a: 1 },
    { scratch: 3 * MiB },
    'Pod ephemeral local storage usage exceeds the total limit of containers 2048576. ',
  ],
  [
    'volumes in memory do not',
    pod([container('a', '1Mi')], [scratch({ medium: 'Memory' })]),
    { a: 1 },
    { scratch: 3 * MiB },
    undefined,
  ],
  [
    'one container of several',
    pod([container('a', '1Mi'), container('b', '5Mi')]),
    { a: 2 * MiB, b: 0 },
    {},
    'Container a exceeded its local ephemeral storage limit "1Mi". ',
  ],
  [
    'a volume',
    pod([container('a')], [scratch({ sizeLimit: '1024Ki' })]),
    {},
    { scratch: MiB + 4096 },
    'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ',
  ],
])('%s', (_, one, containers, emptyDirs, expected) => {
  const usage = {
    containers: new Map(Object.entries(containers)),
    emptyDirs: new Map(Object.entries(emptyDirs)),
  };
  expect(localStorageExcess(one, usage)).toBe(expected);
});

test('only pods with limits are measured', () => {
  expect(limitsLocalStorage(pod([container('a')], [scratch({})]))).toBe(false);
  expect(limitsLocalStorage(pod([container('a', '1Mi')]))).toBe(true);
  expect(limitsLocalStorage(pod([container('a')], [scratch({ sizeLimit: '1Gi' })]))).toBe(true);
});
