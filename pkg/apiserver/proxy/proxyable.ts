import { BlockList, isIP } from 'node:net';
import { badRequest } from '../../api/errors.ts';

/** Addresses that reach the server's own machine or its link, where nobody expects requests of the cluster's users. */
function forbidden(): BlockList {
  const list = new BlockList();
  list.addAddress('0.0.0.0');
  list.addAddress('255.255.255.255');
  list.addSubnet('127.0.0.0', 8);
  list.addSubnet('169.254.0.0', 16);
  list.addSubnet('224.0.0.0', 4);
  list.addAddress('::', 'ipv6');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addSubnet('ff00::', 8, 'ipv6');
  return list;
}

/** Upstream's IsProxyableIP: global unicast addresses only. Throws BadRequest. */
export function checkProxyableIP(address: string): void {
  const family = isIP(address);
  if (family === 0 || forbidden().check(address, family === 6 ? 'ipv6' : 'ipv4'))
    throw badRequest('address not allowed');
}

export type Lookup = (hostname: string) => Promise<readonly string[]>;

/** Upstream's IsProxyableHostname: every address of the name must be allowed. Throws BadRequest. */
export async function checkProxyableHost(host: string, lookup: Lookup): Promise<void> {
  if (isIP(host) !== 0) return checkProxyableIP(host);
  let addresses: readonly string[];
  try {
    addresses = await lookup(host);
  } catch (error) {
    throw badRequest(`lookup ${host}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (addresses.length === 0) throw badRequest('no addresses for hostname');
  for (const address of addresses) checkProxyableIP(address);
}
