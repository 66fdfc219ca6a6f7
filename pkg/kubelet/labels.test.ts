import { expect, test } from 'vitest';
import { isStaticPod, withSource } from './labels.ts';
import type { Pod } from './types.ts';

test('a pod of the API server is noted as such, a static pod is left as it is', () => {
  const pod = { metadata: { name: 'p', annotations: { note: 'x' } } } as unknown as Pod;
  const noted = withSource(pod, '2026-01-01T00:00:00.5Z');
  expect(noted.metadata.annotations).toEqual({
    note: 'x',
    'kubernetes.io/config.seen': '2026-01-01T00:00:00.5Z',
    'kubernetes.io/config.source': 'api',
  });
  expect(isStaticPod(noted)).toBe(false);
  const file = { metadata: { annotations: { 'kubernetes.io/config.source': 'file' } } } as unknown as Pod;
  expect(withSource(file, '')).toBe(file);
});
