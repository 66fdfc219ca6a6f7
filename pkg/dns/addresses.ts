import { isIPv4, isIPv6 } from 'node:net';

/** One spelling for each address: IPv6 in lower case, shortest form. */
export function normalAddress(address: string): string {
  return isIPv6(address) && !address.includes('%') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** The address that a name below in-addr.arpa or ip6.arpa stands for; undefined when it is not a whole one. */
export function reverseAddress(name: string): string | undefined {
  const labels = name.split('.').reverse();
  if (labels[1] === 'in-addr') {
    const address = labels.slice(2).join('.');
    return isIPv4(address) ? address : undefined;
  }
  const digits = labels.slice(2);
  if (digits.length !== 32 || !digits.every((digit) => /^[0-9a-f]$/.test(digit))) return undefined;
  return normalAddress((digits.join('').match(/.{4}/g) ?? []).join(':'));
}
