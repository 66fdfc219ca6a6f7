import type { PluginHandle } from '../framework/handle.ts';
import type { Rejection, SchedulerPlugin } from '../framework/plugin.ts';
import { isFullyBound, usableClaims } from './volume-claims.ts';

const NAME = 'VolumeZone';
const REJECTED: Rejection = { plugin: NAME, reasons: ['node(s) had no available volume zone'], resolvable: false };

/** Label of a volume -> the same label as nodes have it. */
const TOPOLOGY_LABELS: Readonly<Record<string, string>> = {
  'topology.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};

interface ZoneDemand {
  readonly label: string;
  readonly values: ReadonlySet<string>;
}

/** A bound volume with a zone or region label is used there only. */
export function volumeZone({ informers }: PluginHandle): SchedulerPlugin {
  return {
    name: NAME,
    preFilter(state, pod) {
      if (pod.claims.length === 0) return { skip: true };
      const usable = usableClaims(pod, informers);
      if ('problem' in usable) return { plugin: NAME, reasons: [usable.problem], resolvable: false };
      const demands: ZoneDemand[] = [];
      for (const claim of usable.claims.filter(isFullyBound)) {
        const labels = informers.volumes.lister.get(claim.spec.volumeName ?? '')?.metadata.labels ?? {};
        for (const [key, value] of Object.entries(labels)) {
          const label = TOPOLOGY_LABELS[key];
          // Volumes in several zones list them with `__` between.
          if (label !== undefined) demands.push({ label, values: new Set(value.split('__')) });
        }
      }
      state.write(NAME, demands);
      return { skip: demands.length === 0 };
    },
    filter(state, _pod, { labels }) {
      // Nodes of a cluster that has no zones say nothing about them.
      if (!Object.values(TOPOLOGY_LABELS).some((label) => labels[label] !== undefined)) return undefined;
      const demands = state.read<readonly ZoneDemand[]>(NAME) ?? [];
      return demands.every(({ label, values }) => values.has(labels[label] ?? '')) ? undefined : REJECTED;
    },
    mayHelp(event) {
      switch (event.resource) {
        case 'Node':
        case 'PersistentVolume':
        case 'PersistentVolumeClaim':
        case 'StorageClass':
          return event.action !== 'Delete';
        default:
          return event.resource === 'Pod';
      }
    },
  };
}
