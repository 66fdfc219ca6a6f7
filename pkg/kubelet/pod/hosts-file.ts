import type { Pod } from '../types.ts';

/** The /etc/hosts of a pod with its own network. */
export function podHostsFile(pod: Pod, podIPs: readonly string[], hostname: string, domain: string): string {
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...podIPs.map((ip) => (domain === '' ? `${ip}\t${hostname}` : `${ip}\t${hostname}.${domain}\t${hostname}`)),
  ];
  return `${lines.join('\n')}\n${hostAliases(pod)}`;
}

/** The /etc/hosts of a pod in the host's network: the host's own, and the pod's aliases. */
export function hostNetworkHostsFile(pod: Pod, hostFile: string): string {
  return `# Kubernetes-managed hosts file (host network).\n${hostFile}${hostAliases(pod)}`;
}

function hostAliases(pod: Pod): string {
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`;
}
