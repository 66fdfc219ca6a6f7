import { expect, test } from 'vitest';
import { invalid } from './errors.ts';

test('of very many invalid fields only the first are told', () => {
  const errors = Array.from({ length: 10_002 }, (_, i) => ({
    type: 'FieldValueRequired' as const,
    field: `list[${i}]`,
    message: 'Required value',
  }));
  const about = { group: 'example.com', kind: 'Thing' };
  const all = invalid(about, 'a', errors.slice(0, 10_000)).status;
  expect(all.details?.causes).toHaveLength(10_000);
  expect(all.message).toMatch(/, list\[9999\]: Required value\]$/);
  const { message, details } = invalid(about, 'a', errors).status;
  expect(details?.causes).toEqual(all.details?.causes);
  expect(message).toBe((all.message ?? '').replace(/\]$/, ', and 2 more]'));
});
