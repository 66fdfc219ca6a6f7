import { type Library, type Overload, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import {
  type Address,
  type AddressRange,
  contains,
  formatAddress,
  isIn,
  isMapped,
  mask,
  readAddress,
  readRange,
} from './addresses.ts';
import { Host } from './host-values.ts';

type IPValue = Host<Address>;
type CIDRValue = Host<AddressRange>;
const IP = 'net.IP';
const CIDR = 'net.CIDR';

/** ip(), isIP(), cidr(), isCIDR() and what can be asked of addresses and ranges. */
export function networkLibrary(): Library {
  return { name: 'kubernetes.network', overloads: [...addresses(), ...ranges()] };
}

function addresses(): Overload[] {
  const tests: Readonly<Record<string, (address: Address) => boolean>> = {
    isUnspecified: ({ value }) => value === 0n,
    isLoopback: (address) => isIn(address, ['127.0.0.0/8', '::1/128']),
    isLinkLocalMulticast: (address) =>
      isIn(address, ['224.0.0.0/24', 'ff02::/16', 'ff12::/16', 'ff22::/16', 'ff32::/16']),
    isLinkLocalUnicast: (address) => isIn(address, ['169.254.0.0/16', 'fe80::/10']),
    isGlobalUnicast: (address) =>
      address.value !== 0n &&
      !isIn(address, [
        '255.255.255.255/32',
        '127.0.0.0/8',
        '::1/128',
        '224.0.0.0/4',
        'ff00::/8',
        '169.254.0.0/16',
        'fe80::/10',
      ]),
  };
  return [
    overload('string_to_ip', `ip(string) ${IP}`, (text: string) => wrapIP(parseIP(text))),
    overload('is_ip', 'isIP(string) bool', (text: string) => {
      const address = readAddress(text);
      return address !== undefined && !isMapped(address);
    }),
    overload('ip_is_canonical', 'ip.isCanonical(string) bool', (text: string) => formatAddress(parseIP(text)) === text),
    overload('ip_family', `${IP}#family() int`, ({ payload }: IPValue) => (payload.bits === 32 ? 4n : 6n)),
    overload('ip_to_string', `string(${IP}) string`, ({ payload }: IPValue) => formatAddress(payload)),
    ...Object.entries(tests).map(([name, test]) =>
      overload(`ip_${name}`, `${IP}#${name}() bool`, ({ payload }: IPValue) => test(payload)),
    ),
  ];
}

function ranges(): Overload[] {
  const within = (outer: AddressRange, inner: AddressRange): boolean =>
    outer.prefix <= inner.prefix && contains(outer, inner.address);
  return [
    overload('string_to_cidr', `cidr(string) ${CIDR}`, (text: string) => wrapCIDR(parseCIDR(text))),
    overload('is_cidr', 'isCIDR(string) bool', (text: string) => {
      const range = readRange(text);
      return range !== undefined && !isMapped(range.address);
    }),
    overload('cidr_contains_ip_string', `${CIDR}#containsIP(string) bool`, ({ payload }: CIDRValue, ip: string) =>
      contains(payload, parseIP(ip)),
    ),
    overload('cidr_contains_ip_ip', `${CIDR}#containsIP(${IP}) bool`, ({ payload }: CIDRValue, ip: IPValue) =>
      contains(payload, ip.payload),
    ),
    overload('cidr_contains_cidr_string', `${CIDR}#containsCIDR(string) bool`, ({ payload }: CIDRValue, text: string) =>
      within(payload, parseCIDR(text)),
    ),
    overload('cidr_contains_cidr', `${CIDR}#containsCIDR(${CIDR}) bool`, ({ payload }: CIDRValue, other: CIDRValue) =>
      within(payload, other.payload),
    ),
    overload('cidr_ip', `${CIDR}#ip() ${IP}`, ({ payload }: CIDRValue) => wrapIP(payload.address)),
    overload('cidr_prefix_length', `${CIDR}#prefixLength() int`, ({ payload }: CIDRValue) => BigInt(payload.prefix)),
    overload('cidr_masked', `${CIDR}#masked() ${CIDR}`, ({ payload }: CIDRValue) =>
      wrapCIDR({ address: mask(payload.address, payload.prefix), prefix: payload.prefix }),
    ),
    overload('cidr_to_string', `string(${CIDR}) string`, ({ payload }: CIDRValue) => formatRange(payload)),
  ];
}

function parseIP(text: string): Address {
  const quoted = JSON.stringify(text);
  const address = readAddress(text);
  if (address === undefined) {
    if (text.includes('%')) throw new Failure(`IP address ${quoted} with zone value is not allowed`);
    throw new Failure(
      `IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): unable to parse IP`,
    );
  }
  if (isMapped(address)) throw new Failure(`IPv4-mapped IPv6 address ${quoted} is not allowed`);
  return address;
}

function parseCIDR(text: string): AddressRange {
  const quoted = JSON.stringify(text);
  const range = readRange(text);
  if (range === undefined) {
    const reason = text.includes('/') ? 'bad prefix' : "no '/'";
    throw new Failure(
      `network address parse error during conversion from string: netip.ParsePrefix(${quoted}): ${reason}`,
    );
  }
  if (isMapped(range.address)) throw new Failure(`IPv4-mapped IPv6 address ${quoted} is not allowed`);
  return range;
}

function formatRange(range: AddressRange): string {
  return `${formatAddress(range.address)}/${range.prefix}`;
}

function wrapIP(address: Address): IPValue {
  return new Host('ip', address, formatAddress(address), address.bits / 8);
}

function wrapCIDR(range: AddressRange): CIDRValue {
  return new Host('cidr', range, formatRange(range), Math.ceil(range.prefix / 8));
}
