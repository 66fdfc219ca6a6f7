import { expect, test } from 'vitest';
import { toleratedMs } from './tolerations.ts';

const taint = { key: 'k', value: 'v', effect: 'NoExecute' };

test.each([
  ['no toleration', [], 0],
  ['other key', [{ key: 'x', operator: 'Exists' }], 0],
  ['other effect', [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }], 0],
  ['other value', [{ key: 'k', operator: 'Equal', value: 'w' }], 0],
  ['equal', [{ key: 'k', value: 'v' }], undefined],
  ['everything', [{ operator: 'Exists' }], undefined],
  ['for a while', [{ key: 'k', operator: 'Exists', tolerationSeconds: 5 }], 5000],
  [
    'shortest counts',
    [
      { operator: 'Exists', tolerationSeconds: 9 },
      { key: 'k', operator: 'Exists', tolerationSeconds: 3 },
    ],
    3000,
  ],
  ['negative is zero', [{ operator: 'Exists', tolerationSeconds: -1 }], 0],
])('%s', (_, tolerations, expected) => {
  expect(toleratedMs(tolerations, [taint])).toBe(expected);
});
