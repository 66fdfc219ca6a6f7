import type {
  DeviceAllocationConfiguration,
  NodeSelector,
  NodeSelectorRequirement,
  OpaqueDeviceConfiguration,
} from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { equalJSON } from '../../base/json.ts';
import type { Allocation, Claim } from './device-id.ts';
import type { FoundDevice, RequestPlan } from './device-search.ts';

/** The devices of a claim as its status shows them, with what drivers are told and where they can be used. */
export function allocationOf(
  claim: Claim,
  plans: readonly RequestPlan[],
  found: readonly FoundDevice[],
  nodeName: string,
): Allocation {
  const config = [...classConfig(plans), ...claimConfig(claim, plans)];
  const nodeSelector = nodeSelectorOf(found, nodeName);
  return {
    devices: { results: found.map(({ result }) => result), ...(config.length === 0 ? {} : { config }) },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  };
}

/** What classes say, each once for all requests of it. */
function classConfig(plans: readonly RequestPlan[]): readonly DeepReadonly<DeviceAllocationConfiguration>[] {
  const requests = new Map<string, string[]>();
  const classes = plans.flatMap(({ alternatives, chosen }) => {
    const alternative = alternatives[chosen];
    if (alternative === undefined) return [];
    const { name } = alternative.class.metadata;
    const known = requests.get(name);
    known?.push(alternative.wanted.ref);
    if (known !== undefined) return [];
    requests.set(name, [alternative.wanted.ref]);
    return [alternative.class];
  });
  return classes.flatMap(({ metadata, spec }) =>
    (spec.config ?? []).map((one) => ({
      source: 'FromClass',
      requests: requests.get(metadata.name) ?? [],
      ...opaqueOf(one),
    })),
  );
}

/** What the claim itself says about the requests, or the alternatives of them, that were chosen. */
function claimConfig(
  { spec }: Claim,
  plans: readonly RequestPlan[],
): readonly DeepReadonly<DeviceAllocationConfiguration>[] {
  const refs = plans.map(({ alternatives, chosen }) => alternatives[chosen]?.wanted.ref ?? '');
  return (spec.devices?.config ?? []).flatMap((one) => {
    const { requests = [] } = one;
    if (requests.length === 0) return [{ source: 'FromClaim', ...opaqueOf(one) }];
    const concerned = refs.filter((ref) => requests.includes(ref) || requests.includes(ref.split('/', 1)[0] ?? ''));
    return concerned.map(() => ({ source: 'FromClaim', requests, ...opaqueOf(one) }));
  });
}

function opaqueOf({ opaque }: { readonly opaque?: DeepReadonly<OpaqueDeviceConfiguration> }): {
  readonly opaque?: DeepReadonly<OpaqueDeviceConfiguration>;
} {
  return opaque === undefined ? {} : { opaque };
}

/** The nodes on which all devices can be used; undefined: on every node. */
function nodeSelectorOf(found: readonly FoundDevice[], nodeName: string): DeepReadonly<NodeSelector> | undefined {
  const matchFields: DeepReadonly<NodeSelectorRequirement>[] = [];
  const matchExpressions: DeepReadonly<NodeSelectorRequirement>[] = [];
  for (const { candidate } of found) {
    const { device, slice } = candidate;
    const own = slice.spec.perDeviceNodeSelection ? device : slice.spec;
    if (own.nodeName !== undefined || device.bindsToNode) {
      const here = { key: 'metadata.name', operator: 'In', values: [nodeName] };
      return { nodeSelectorTerms: [{ matchFields: [here] }] };
    }
    const [term] = own.nodeSelector?.nodeSelectorTerms ?? [];
    addNew(term?.matchFields ?? [], matchFields);
    addNew(term?.matchExpressions ?? [], matchExpressions);
  }
  if (matchFields.length === 0 && matchExpressions.length === 0) return undefined;
  return {
    nodeSelectorTerms: [
      {
        ...(matchFields.length === 0 ? {} : { matchFields }),
        ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
      },
    ],
  };
}

function addNew(
  from: readonly DeepReadonly<NodeSelectorRequirement>[],
  to: DeepReadonly<NodeSelectorRequirement>[],
): void {
  const sorted = ({ key, operator, values = [] }: DeepReadonly<NodeSelectorRequirement>): unknown => [
    key,
    operator,
    values.toSorted(),
  ];
  for (const one of from) if (!to.some((known) => equalJSON(sorted(known), sorted(one)))) to.push(one);
}
