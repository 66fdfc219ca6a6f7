import type { DNSConfig } from '../../cri/index.ts';
import type { Pod } from '../types.ts';

export interface DNSOptions {
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
}

/** The host's resolv.conf, parsed. */
export function parseResolvConf(text: string): DNSConfig {
  const servers: string[] = [];
  let searches: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    else if (keyword === 'search') searches = values.map((value) => (value === '.' ? value : value.replace(/\.$/, '')));
    else if (keyword === 'domain' && values[0] !== undefined) searches = [values[0]];
    else if (keyword === 'options') for (const value of values) options.set(value.split(':')[0] ?? '', value);
  }
  return { servers, searches, options: [...options.values()] };
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
/** Of all search paths in one line. */
const MAX_SEARCH_CHARACTERS = 2048;

/** What goes into a pod's resolv.conf, and for events what did not: more than resolvers read. */
export interface PodDNS {
  readonly config: DNSConfig;
  readonly omitted: readonly string[];
}

/** What goes into a pod's resolv.conf by its dnsPolicy and dnsConfig. */
export function podDNS(pod: Pod, host: DNSConfig, { clusterDNS, clusterDomain }: DNSOptions): PodDNS {
  const { dnsPolicy = 'ClusterFirst', hostNetwork, dnsConfig } = pod.spec;
  let base: DNSConfig;
  const cluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && hostNetwork !== true);
  if (dnsPolicy === 'None') base = { servers: [], searches: [], options: [] };
  else if (cluster && clusterDNS.length > 0) {
    const domains = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
    const searches = [...domains, ...host.searches.filter((search) => search !== '.')];
    base = { servers: clusterDNS, searches, options: ['ndots:5'] };
  } else base = host;
  if (dnsConfig === undefined) return limited(base);
  const options = new Map(base.options.map((option) => [option.split(':')[0] ?? '', option]));
  for (const { name = '', value } of dnsConfig.options ?? []) {
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  }
  return limited({
    servers: [...new Set([...base.servers, ...(dnsConfig.nameservers ?? [])])],
    searches: [...new Set([...base.searches, ...(dnsConfig.searches ?? [])])],
    options: [...options.values()],
  });
}

function limited(config: DNSConfig): PodDNS {
  const servers = config.servers.slice(0, MAX_SERVERS);
  const searches = config.searches.slice(0, MAX_SEARCHES);
  while (searches.join(' ').length > MAX_SEARCH_CHARACTERS) searches.pop();
  const omitted: string[] = [];
  if (servers.length < config.servers.length) {
    omitted.push(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`,
    );
  }
  if (searches.length < config.searches.length) {
    omitted.push(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`,
    );
  }
  return { config: { ...config, servers, searches }, omitted };
}

const MAX_HOSTNAME = 63;

/** The pod's host name and DNS domain ('' when it has none). */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; domain: string } {
  const { hostname, subdomain, hostnameOverride } = pod.spec;
  if (hostnameOverride !== undefined) return { hostname: hostnameOverride, domain: '' };
  const name = (hostname || pod.metadata.name).slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
  const domain = subdomain ? `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : '';
  return { hostname: name, domain };
}
