import type { PodSandboxConfig } from '../../cri/index.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares, podAmount } from '../container/resources.ts';
import { sandboxSecurityContext } from '../container/security.ts';
import { type KubeletContext, podLogDirectory } from '../context.ts';
import { podLabels } from '../labels.ts';
import type { Pod } from '../types.ts';
import { podDNS, podHostname } from './dns.ts';
import { sysctlName } from './sysctls.ts';

/** A pod that no sandbox can be made for as its spec wants it. */
export class SandboxConfigError extends Error {
  override readonly name = 'SandboxConfigError';
}

const MAX_FQDN = 64;

/** Throws a SandboxConfigError. */
export function sandboxConfig(pod: Pod, attempt: number, context: KubeletContext): PodSandboxConfig {
  const { name, namespace, uid, annotations } = pod.metadata;
  const { options } = context;
  const { hostname, domain } = podHostname(pod, options.clusterDomain);
  const hostNetwork = pod.spec.hostNetwork === true;
  const fqdn = pod.spec.setHostnameAsFQDN === true && domain !== '' ? `${hostname}.${domain}` : hostname;
  if (fqdn !== hostname && fqdn.length > MAX_FQDN) {
    throw new SandboxConfigError(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${MAX_FQDN} characters is the max, ${fqdn.length} characters requested)`,
    );
  }
  const quota = cpuQuota(podAmount(pod, 'limits', 'cpu'));
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: hostNetwork ? '' : fqdn,
    logDirectory: podLogDirectory(options, pod),
    dnsConfig: podDNS(pod, context.hostDNS, options).config,
    portMappings: hostNetwork ? [] : portMappings(pod),
    labels: podLabels(pod, options.nodeName),
    annotations: { ...annotations },
    linux: {
      cgroupParent: context.cgroups.path(pod),
      securityContext: sandboxSecurityContext(pod, context.userNamespaces.of(pod), options.sandboxSeccompProfile),
      sysctls: Object.fromEntries(
        (pod.spec.securityContext?.sysctls ?? []).map(({ name: given, value }) => [sysctlName(given), value]),
      ),
      resources: {
        cpuShares: cpuShares(podAmount(pod, 'requests', 'cpu')),
        ...(quota === 0 ? {} : { cpuQuota: quota, cpuPeriod: CPU_PERIOD_US }),
        memoryLimitInBytes: podAmount(pod, 'limits', 'memory'),
      },
    },
  };
}

function portMappings(pod: Pod): NonNullable<PodSandboxConfig['portMappings']> {
  return pod.spec.containers.flatMap(({ ports = [] }) =>
    ports.map(({ containerPort, hostPort = 0, hostIP = '', protocol = 'TCP' }) => ({
      containerPort,
      hostPort,
      hostIp: hostIP,
      protocol: protocol as 'TCP' | 'UDP' | 'SCTP',
    })),
  );
}
