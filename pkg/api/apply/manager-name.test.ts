import { expect, test } from 'vitest';
import { managerName } from './manager-name.ts';

test.each([
  ['mine', 'kubectl/v1.36.0 (linux/amd64)', 'mine'],
  ['', 'kubectl/v1.36.0 (linux/amd64)', 'kubectl'],
  [undefined, 'kube-controller-manager', 'kube-controller-manager'],
  [undefined, 'a\u0000b\tc/1', 'abc'],
  [undefined, 'é'.repeat(100), 'é'.repeat(64)],
  [undefined, '', ''],
])('%j, %j', (fieldManager, userAgent, expected) => {
  expect(managerName(fieldManager, userAgent)).toBe(expected);
});
