import { expect, test } from 'vitest';
import { builtinSchema } from './builtin.ts';
import { inStructOrder } from './struct-order.ts';

test('members stand in the order of the struct, also in lists, and those of maps as they were', () => {
  const metadata = {
    managedFields: [{ operation: 'Update', manager: 'm' }],
    annotations: { b: '2', a: '1' },
    labels: {},
    name: 'n',
  };
  expect(JSON.stringify(inStructOrder(builtinSchema('meta.v1.ObjectMeta'), metadata))).toBe(
    '{"name":"n","labels":{},"annotations":{"b":"2","a":"1"},"managedFields":[{"manager":"m","operation":"Update"}]}',
  );
});
