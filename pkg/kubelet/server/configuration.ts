import { formatDuration } from '../../api/duration.ts';
import type { KubeletOptions } from '../options.ts';

/** `/configz`: the settings of this kubelet by upstream's names; what is not here has upstream's default. */
export function configuration(options: KubeletOptions): object {
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    enableServer: true,
    staticPodPath: options.manifestDir,
    address: options.address ?? '0.0.0.0',
    port: options.port,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: true, cacheTTL: '2m0s' } },
    authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
    clusterDomain: options.clusterDomain,
    clusterDNS: options.clusterDNS,
    nodeLeaseDurationSeconds: 40,
    maxPods: options.maxPods,
    podPidsLimit: options.podPidsLimit ?? -1,
    shutdownGracePeriod: formatDuration(options.shutdown?.graceMs ?? 0),
    shutdownGracePeriodCriticalPods: formatDuration(options.shutdown?.criticalGraceMs ?? 0),
    cgroupDriver: 'cgroupfs',
    cgroupRoot: options.cgroupRoot,
    cgroupsPerQOS: options.cgroupsPerQOS !== false,
    resolvConf: options.resolvConfPath ?? '/etc/resolv.conf',
    allowedUnsafeSysctls: options.allowedUnsafeSysctls ?? [],
    podLogsDir: options.podLogsDir,
    cpuManagerPolicy: 'none',
    memoryManagerPolicy: 'None',
    topologyManagerPolicy: 'none',
    topologyManagerScope: 'container',
    ...options.managers,
  };
}
