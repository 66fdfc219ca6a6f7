import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { plainAddress } from '../../base/socket-address.ts';

/** Where a request came from: what proxies say in X-Forwarded-For and X-Real-Ip, and the peer itself (upstream's SourceIPs). */
export function sourceIPs(headers: IncomingHttpHeaders, remoteAddress: string): string[] {
  const found = text(headers['x-forwarded-for'])
    .split(',')
    .map((part) => part.trim());
  found.push(text(headers['x-real-ip']).trim(), plainAddress(remoteAddress));
  const addresses = found.filter((address) => isIP(address) !== 0);
  return addresses.filter((address, index) => address !== addresses[index - 1]);
}

function text(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}
