import { describe, expect, it } from 'vitest';
import { canonicalCIDR, canonicalIPTexts, cidrWarnings, isStrictlyInside, legacyCIDR, parseCIDR } from './cidr.ts';
import { ipWarnings, legacyIPTexts } from './ip.ts';

describe('ranges', () => {
  const inside: [string, string, boolean][] = [
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['11.1.0.0/16', '10.0.0.0/8', false],
    ['2001:db8:1::/48', '2001:db8::/32', true],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8', false],
    ['192.168.1.9/32', '192.168.1.0/24', true],
  ];

  it.each(inside)('%s in %s: %s', (inner, outer, expected) => {
    const [a, b] = [parseCIDR(inner), parseCIDR(outer)];
    expect(a !== undefined && b !== undefined && isStrictlyInside(a, b)).toBe(expected);
  });

  const canonical: [string, string[]][] = [
    ['10.0.0.0/8', []],
    ['2001:db8::/64', []],
    ['10.0.0.1/8', ['must not have bits set beyond the prefix length']],
    ['2001:DB8::/64', ['must be in canonical form ("2001:db8::/64")']],
    ['10.0.0.0', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    ['::ffff:10.0.0.0/120', ['must not have an IPv4-mapped IPv6 address']],
  ];

  it.each(canonical)('%s', (text, details) => {
    const prefix = `Invalid value: ${JSON.stringify(text)}: `;
    expect(canonicalCIDR(text, 'p').map(({ message }) => message.slice(prefix.length))).toEqual(details);
  });

  it.each([
    ['10.0.0.0/8', []],
    [
      '10.0.0.1/8',
      ['p: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)'],
    ],
    [
      '2001:0db8::/64',
      ['p: IPv6 CIDR value "2001:0db8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")'],
    ],
    ['no range', []],
  ])('warnings about %s', (text, warnings) => {
    expect(cidrWarnings(text, 'p')).toEqual(warnings);
  });
});

describe('older fields', () => {
  it.each([
    ['10.0.0.0/8', []],
    ['2001:DB8::/64', []],
    ['010.0.0.0/8', ['must not have leading 0s in IP or prefix length']],
    ['10.0.0.0/08', ['must not have leading 0s in IP or prefix length']],
    ['10.0.0.1/8', ['must not have bits set beyond the prefix length']],
    ['::ffff:10.0.0.0/120', ['must not have an IPv4-mapped IPv6 address']],
  ])('range %s', (text, details) => {
    const prefix = `Invalid value: ${JSON.stringify(text)}: `;
    expect(legacyCIDR(text, 'p').map(({ message }) => message.slice(prefix.length))).toEqual(details);
  });

  it.each([
    ['10.0.0.1', []],
    ['FD00::1', []],
    ['01.2.3.4', ['must not have leading 0s']],
    ['::ffff:1.2.3.4', ['must not be an IPv4-mapped IPv6 address']],
    ['1.2.3', ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ])('address %s', (text, texts) => {
    expect(legacyIPTexts(text)).toEqual(texts);
  });

  it.each([
    ['1.2.3.4', []],
    ['01.2.3.4', ['p: non-standard IP address "01.2.3.4" is invalid: use "1.2.3.4"']],
    ['FD00::1', ['p: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")']],
    ['x', []],
  ])('warnings about address %s', (text, warnings) => {
    expect(ipWarnings(text, 'p')).toEqual(warnings);
  });
});

describe('addresses', () => {
  it.each([
    ['10.0.0.1', []],
    ['fd00::1', []],
    ['FD00::1', ['must be in canonical form ("fd00::1")']],
    ['::ffff:1.2.3.4', ['must not be an IPv4-mapped IPv6 address']],
    ['1.2.3', ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ])('%s', (text, texts) => {
    expect(canonicalIPTexts(text)).toEqual(texts);
  });
});
