import { readFile } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { parseResolvConf } from './dns.ts';

const OF_HOST = '/etc/resolv.conf';
/** Where systemd-resolved says whom it asks itself. */
const BEHIND_THE_STUB = '/run/systemd/resolve/resolv.conf';

/**
 * The file with the resolvers that pods may ask too. A stub resolver on a loopback address of the host, as systemd-resolved
 * has it, answers nobody else: then it is the file with those behind it, as kubeadm has it. `root`: '/' but for tests.
 */
export async function resolvConfPath(root = '/'): Promise<string> {
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8').catch(() => '');
  const { servers } = parseResolvConf(await read(OF_HOST));
  if (servers.length === 0 || !servers.every(isLoopback)) return OF_HOST;
  const behind = parseResolvConf(await read(BEHIND_THE_STUB)).servers;
  return behind.some((server) => !isLoopback(server)) ? BEHIND_THE_STUB : OF_HOST;
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
