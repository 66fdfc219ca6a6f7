import { describe, expect, it } from 'vitest';
import * as field from './field-error.ts';

describe('field errors', () => {
  const cases: [string, field.FieldError, string, string][] = [
    ['required', field.required('a'), 'FieldValueRequired', 'Required value'],
    ['required with detail', field.required('a', 'why'), 'FieldValueRequired', 'Required value: why'],
    ['string', field.invalid('a', 'x"\n', 'no'), 'FieldValueInvalid', 'Invalid value: "x\\"\\n": no'],
    ['number', field.invalid('a', -1, 'no'), 'FieldValueInvalid', 'Invalid value: -1: no'],
    ['absent', field.invalid('a', null, 'no'), 'FieldValueInvalid', 'Invalid value: null: no'],
    ['struct', field.invalid('a', { k: '<' }, 'no'), 'FieldValueInvalid', 'Invalid value: {"k":"\\u003c"}: no'],
    [
      'not supported',
      field.notSupported('a', 'x', ['A', 'B']),
      'FieldValueNotSupported',
      'Unsupported value: "x": supported values: "A", "B"',
    ],
    ['duplicate', field.duplicate('a', 'x'), 'FieldValueDuplicate', 'Duplicate value: "x"'],
    ['forbidden', field.forbidden('a', 'no'), 'FieldValueForbidden', 'Forbidden: no'],
    ['too long', field.tooLong('a', 10), 'FieldValueTooLong', 'Too long: may not be more than 10 bytes'],
    ['too many', field.tooMany('a', 5, 4), 'FieldValueTooMany', 'Too many: 5: must have at most 4 items'],
    ['not found', field.notFound('a', 'v'), 'FieldValueNotFound', 'Not found: "v"'],
  ];

  it.each(cases)('%s', (_name, error, type, message) => {
    expect(error).toEqual({ type, field: 'a', message });
  });

  it('quotes as Go does', () => {
    expect(field.invalid('a', 'žluť ☃', '').message).toBe('Invalid value: "žluť ☃"');
    expect(field.invalid('a', '\u0001\u00a0', '').message).toBe('Invalid value: "\\x01\\u00a0"');
  });
});
