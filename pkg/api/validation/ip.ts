import { isIP, isIPv6 } from 'node:net';

/** An IPv6 address as RFC 5952 writes it. `ip` is one in any form without a zone. */
export function canonicalIPv6(ip: string): string {
  return new URL(`http://[${ip}]`).hostname.slice(1, -1);
}

/** An address or range without the zeros that some put before the numbers of IPv4 and the length. */
export function withoutZeros(text: string): string {
  return text
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)/, (numbers) => numbers.split('.').map(plainNumber).join('.'))
    .replace(/\/(\d+)$/, (_slash, length: string) => `/${plainNumber(length)}`);
}

function plainNumber(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '');
}

/** What is wrong with an address of a field that need not be canonical: leading zeros and IPv4 in disguise are ambiguous. */
export function legacyIPTexts(text: string): string[] {
  const plain = withoutZeros(text);
  if (isIP(plain) === 0 || text.includes('%')) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  if (plain !== text) return ['must not have leading 0s'];
  return mappedIPv4(text) === undefined ? [] : ['must not be an IPv4-mapped IPv6 address'];
}

/** The IPv4 address that an IPv6 one stands for. */
function mappedIPv4(ip: string): string | undefined {
  if (!isIPv6(ip)) return undefined;
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonicalIPv6(ip));
  if (mapped === null) return undefined;
  const numbers = [mapped[1], mapped[2]].flatMap((part) => {
    const value = Number.parseInt(part ?? '', 16);
    return [value >> 8, value & 255];
  });
  return numbers.join('.');
}

/** Warnings about an address that is taken as it is: IPv6 in another than its canonical form, IPv4 in disguise or with zeros. */
export function ipWarnings(ip: string, path: string): string[] {
  const plain = withoutZeros(ip);
  if (isIP(plain) === 0) return [];
  const standard = mappedIPv4(plain) ?? (plain === ip ? undefined : plain);
  if (standard !== undefined) return [`${path}: non-standard IP address "${ip}" is invalid: use "${standard}"`];
  if (!isIPv6(ip)) return [];
  const canonical = canonicalIPv6(ip);
  if (canonical === ip) return [];
  return [`${path}: IPv6 address "${ip}" should be in RFC 5952 canonical format ("${canonical}")`];
}
