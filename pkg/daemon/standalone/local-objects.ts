import { badRequest } from '../../api/errors.ts';
import { builtinDefinitions } from '../../api/scheme.ts';
import type { AdmissionPlugin } from '../../apiserver/contract.ts';
import { LocalRegistry } from '../../apiserver/index.ts';
import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Store } from '../../storage/index.ts';

/** The groups whose kinds the parts of a node read, whether or not there are any. */
const GROUPS = new Set([
  '',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'resource.k8s.io',
  'storage.k8s.io',
]);
/** What manifests may hold. */
export const LOCAL_KINDS: readonly string[] = ['Pod', 'ConfigMap', 'Secret'];
/** What the node makes for itself. */
const NODE_KINDS: readonly string[] = ['Node', 'Lease', 'Event'];

export interface LocalObjectsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** The objects of a machine without a cluster; every pod is this node's. */
export function localObjects(nodeName: string, deps: LocalObjectsDeps): LocalRegistry {
  const definitions = builtinDefinitions().filter(({ type }) => GROUPS.has(type.group));
  return new LocalRegistry({ ...deps, definitions, admission: [knownKinds, ownPods(nodeName)] });
}

/** What the name server of a machine without a cluster knows: the node makes it for itself. */
export function localNames(deps: LocalObjectsDeps): LocalRegistry {
  const groups = new Set(['', 'discovery.k8s.io']);
  const definitions = builtinDefinitions().filter(({ type }) => groups.has(type.group));
  return new LocalRegistry({ ...deps, definitions, admission: [] });
}

/** Nobody would act on other kinds: they are refused by name. */
const knownKinds: AdmissionPlugin = {
  name: 'KnownKinds',
  handles: (operation, { type }, subresource) =>
    operation === 'CREATE' && subresource === '' && ![...LOCAL_KINDS, ...NODE_KINDS].includes(type.kind),
  admit: ({ definition: { type } }) => {
    throw badRequest(`kind ${type.kind} has no effect without a cluster: only ${LOCAL_KINDS.join(', ')} have`);
  },
};

function ownPods(nodeName: string): AdmissionPlugin {
  return {
    name: 'OwnPods',
    handles: (operation, { type }, subresource) =>
      operation === 'CREATE' && subresource === '' && type.group === '' && type.resource === 'pods',
    admit: ({ object }) => {
      const spec = (object as unknown as { spec?: { nodeName?: string } }).spec;
      if (spec !== undefined) spec.nodeName = nodeName;
    },
  };
}
