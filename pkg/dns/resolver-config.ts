import { isIP, isIPv6 } from 'node:net';
import type { ConfigMap } from '../api/generated/types.ts';
import type { DeepReadonly } from '../api/object.ts';
import { normalAddress } from './addresses.ts';
import type { Upstream } from './upstream.ts';

/** The ConfigMap in which a cluster says who else answers: in the format that kube-dns had. */
export const RESOLVER_CONFIG = { namespace: 'kube-system', name: 'kube-dns' } as const;

export interface ResolverConfig {
  /** Resolvers by domain (lower case, without the final dot): for it and all below it. */
  readonly stubDomains: ReadonlyMap<string, readonly Upstream[]>;
  /** For everything else; absent: those of the host. */
  readonly upstreams?: readonly Upstream[];
}

const MAX_SERVERS = 3;
const DNS_PORT = 53;

/**
 * Reads `stubDomains` (a JSON object of lists of addresses) and `upstreamNameservers` (a JSON list of up to three).
 * Addresses may have a port: `192.0.2.1:5353`, `[2001:db8::1]:5353`. What is wrong is left out and said in `problems`;
 * `own` are addresses of this server, which would ask itself.
 */
export function parseResolverConfig(
  configMap: DeepReadonly<ConfigMap> | undefined,
  own: ReadonlySet<string>,
): { readonly config: ResolverConfig; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const { stubDomains: stubText, upstreamNameservers: upstreamText } = configMap?.data ?? {};
  const servers = (value: unknown, of: string): Upstream[] => {
    if (!Array.isArray(value)) {
      problems.push(`${of}: not a list of addresses`);
      return [];
    }
    const found: Upstream[] = [];
    for (const text of value) {
      const server = parseServer(text);
      if (server === undefined) problems.push(`${of}: ${JSON.stringify(text)} is not an address`);
      else if (own.has(normalAddress(server.address)) && server.port === DNS_PORT)
        problems.push(`${of}: ${server.address} is the cluster DNS itself`);
      else found.push(server);
    }
    if (found.length > MAX_SERVERS) problems.push(`${of}: only the first ${MAX_SERVERS} are used`);
    return found.slice(0, MAX_SERVERS);
  };

  const stubDomains = new Map<string, readonly Upstream[]>();
  const stubs = parseJSON(stubText, 'stubDomains', problems) ?? {};
  if (typeof stubs !== 'object' || Array.isArray(stubs)) problems.push('stubDomains: not an object');
  else
    for (const [domain, value] of Object.entries(stubs)) {
      const found = servers(value, `stubDomains: ${domain}`);
      if (found.length > 0) stubDomains.set(domain.toLowerCase().replace(/^\.|\.$/g, ''), found);
    }
  const wanted = parseJSON(upstreamText, 'upstreamNameservers', problems);
  const upstreams = wanted === undefined ? [] : servers(wanted, 'upstreamNameservers');
  return { config: { stubDomains, ...(upstreams.length === 0 ? {} : { upstreams }) }, problems };
}

/** The resolvers of the longest stub domain that a name (lower case) is in. */
export function stubFor(name: string, stubDomains: ResolverConfig['stubDomains']): readonly Upstream[] | undefined {
  if (stubDomains.size === 0) return undefined;
  for (let rest = name; ; rest = rest.slice(rest.indexOf('.') + 1)) {
    const servers = stubDomains.get(rest);
    if (servers !== undefined) return servers;
    if (!rest.includes('.')) return undefined;
  }
}

function parseJSON(text: string | undefined, key: string, problems: string[]): unknown {
  if (text === undefined || text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    problems.push(`${key}: not JSON`);
    return undefined;
  }
}

function parseServer(text: unknown): Upstream | undefined {
  if (typeof text !== 'string') return undefined;
  const [, bracketed, plain, portText] =
    /^(?:\[([^\]]+)\]|([^\s[\]]+?))(?::(\d{1,5}))?$/.exec(isIPv6(text) ? `[${text}]` : text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = portText === undefined ? DNS_PORT : Number(portText);
  return isIP(address) !== 0 && port > 0 && port < 65_536 ? { address, port } : undefined;
}
