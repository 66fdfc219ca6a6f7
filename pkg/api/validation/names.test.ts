import { describe, expect, it } from 'vitest';
import {
  isConfigMapKey,
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isHTTPPath,
  isLabelValue,
  isPathSegmentName,
  isQualifiedName,
  isRelaxedEnvVarName,
  isValidPortName,
  isWildcardDNS1123Subdomain,
  maskTrailingDash,
  type NameCheck,
} from './names.ts';

const valid: [string, NameCheck, string[]][] = [
  ['label', isDNS1123Label, ['a', 'a-b', '0', 'a'.repeat(63)]],
  ['subdomain', isDNS1123Subdomain, ['a.b', '1.2', 'example.com']],
  ['DNS-1035', isDNS1035Label, ['a', 'a-1']],
  ['wildcard', isWildcardDNS1123Subdomain, ['*.example.com']],
  ['qualified name', isQualifiedName, ['a', 'A_b.c', 'example.com/Name', `a/${'x'.repeat(63)}`]],
  ['label value', isLabelValue, ['', 'a', 'A-b_c.d', 'x'.repeat(63)]],
  ['port name', isValidPortName, ['http', 'a1', '8080-tcp']],
  ['config key', isConfigMapKey, ['a', '.dockercfg', 'A_b-c.d', '...'.replace('...', 'x..')]],
  ['path segment', isPathSegmentName, ['system:node', 'a b']],
  ['URL path', isHTTPPath, ['foo', 'c/d', 'a=b;c']],
  ['variable', isRelaxedEnvVarName, ['A', '1A', 'a b', '.x']],
];

const invalid: [string, NameCheck, string, string[]][] = [
  ['dots in a label', isDNS1123Label, 'a.b', ['must not contain dots']],
  ['long label value', isLabelValue, 'a'.repeat(64), ['must be no more than 63 bytes']],
  ['long name of a key', isQualifiedName, `p/${'a'.repeat(64)}`, ['name part must be no more than 63 bytes']],
  ['long label', isDNS1123Label, 'a'.repeat(64), ['must be no more than 63 characters']],
  ['empty prefix', isQualifiedName, '/a', ['prefix part must be non-empty']],
  ['parent directory', isConfigMapKey, '..', ["must not be '..'"]],
  ['two dots at the start', isConfigMapKey, '..a', ["must not start with '..'"]],
  ['slash', isPathSegmentName, 'a/b%', ["may not contain '/'", "may not contain '%'"]],
  ['dot', isPathSegmentName, '.', ["may not be '.'"]],
  ['digits only', isValidPortName, '80', ['must contain at least one letter (a-z)']],
  [
    'spaces in a path',
    isHTTPPath,
    'a b',
    [
      "Invalid path (e.g. 'my/path',  or 'example.com/path', regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
    ],
  ],
];

describe('name checks', () => {
  it.each(valid)('accept %s', (_name, check, values) => {
    for (const value of values) expect(check(value), value).toEqual([]);
  });

  it.each(invalid)('explain %s', (_name, check, value, texts) => {
    expect(check(value)).toEqual(texts);
  });

  it('reports every part of an empty qualified name', () => {
    const texts = isQualifiedName('');
    expect(texts).toHaveLength(2);
    expect(texts[0]).toBe('name part must be non-empty');
    expect(texts[1]).toContain('name part must consist of alphanumeric characters');
  });

  it('does not mistake a trailing line break for the end', () => {
    expect(isDNS1123Label('a\n')).not.toEqual([]);
  });

  it('masks the dash that a generated suffix follows', () => {
    expect(maskTrailingDash('web-')).toBe('wea');
    expect(maskTrailingDash('-')).toBe('-');
    expect(maskTrailingDash('web')).toBe('web');
  });
});
