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

/** What goes into a pod's resolv.conf by its dnsPolicy and dnsConfig. */
export function podDNS(pod: Pod, host: DNSConfig, { clusterDNS, clusterDomain }: DNSOptions): DNSConfig {
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

function limited(config: DNSConfig): DNSConfig {
  return { ...config, servers: config.servers.slice(0, MAX_SERVERS), searches: config.searches.slice(0, MAX_SEARCHES) };
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
