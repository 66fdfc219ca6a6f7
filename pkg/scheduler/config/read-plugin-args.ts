import type { NodeAffinity, TopologySpreadConstraint } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { defaultPluginArgs, type PluginArgs, type ResourceSpec, type ScoringStrategy } from './plugin-args.ts';
import type { ObjectReader } from './reader.ts';

const STRATEGIES = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] as const;
const MAX_INT32 = 2 ** 31 - 1;

type Readers = { readonly [Name in keyof PluginArgs]: (args: ObjectReader) => PluginArgs[Name] };

const READERS: Readers = {
  DefaultPreemption: (args) => ({
    minCandidateNodesPercentage: args.integer('minCandidateNodesPercentage', 0, 100) ?? 10,
    minCandidateNodesAbsolute: args.integer('minCandidateNodesAbsolute', 0, MAX_INT32) ?? 100,
  }),
  DynamicResources: (args) => ({
    filterTimeoutMs: args.durationMs('filterTimeout') ?? defaultPluginArgs.DynamicResources.filterTimeoutMs,
    bindingTimeoutMs: args.durationMs('bindingTimeout') ?? defaultPluginArgs.DynamicResources.bindingTimeoutMs,
  }),
  InterPodAffinity: (args) => ({
    hardPodAffinityWeight: args.integer('hardPodAffinityWeight', 0, 100) ?? 1,
    ignorePreferredTermsOfExistingPods: args.boolean('ignorePreferredTermsOfExistingPods') ?? false,
  }),
  NodeAffinity: (args) => ({ addedAffinity: args.raw('addedAffinity') as DeepReadonly<NodeAffinity> | undefined }),
  NodeResourcesBalancedAllocation: (args) => ({
    resources: resources(args) ?? defaultPluginArgs.NodeResourcesBalancedAllocation.resources,
  }),
  NodeResourcesFit: (args) => ({
    ignoredResources: args.strings('ignoredResources'),
    ignoredResourceGroups: resourceGroups(args),
    scoringStrategy: args.has('scoringStrategy')
      ? strategy(args.object('scoringStrategy'))
      : defaultPluginArgs.NodeResourcesFit.scoringStrategy,
  }),
  PodTopologySpread: topologySpread,
  VolumeBinding(args) {
    // The shape scores storage capacity, which is off by default upstream.
    args.ignore('shape');
    return { bindTimeoutSeconds: args.integer('bindTimeoutSeconds', 0, MAX_INT32) ?? 600 };
  },
};

/** `pluginConfig` of a profile: settings by plugin, the defaults where there are none. */
export function readPluginArgs(entries: readonly ObjectReader[]): PluginArgs {
  let all = defaultPluginArgs;
  const seen = new Set<string>();
  for (const entry of entries) {
    const name = entry.string('name') ?? '';
    if (seen.has(name)) entry.invalid('name', `Duplicate value: ${JSON.stringify(name)}`);
    seen.add(name);
    const args = entry.object('args');
    args.ignore('apiVersion', 'kind');
    if (isConfigurable(name)) {
      all = { ...all, [name]: READERS[name](args) };
      args.done();
    } else {
      entry.invalid('name', `Invalid value: ${JSON.stringify(name)}: the plugin takes no arguments`);
    }
    entry.done();
  }
  return all;
}

function isConfigurable(name: string): name is keyof PluginArgs {
  return Object.hasOwn(READERS, name);
}

function resources(owner: ObjectReader): readonly ResourceSpec[] | undefined {
  if (!owner.has('resources')) return undefined;
  return owner.objects('resources').map((entry) => {
    const name = entry.string('name') ?? '';
    if (name === '') entry.invalid('name', 'Required value');
    const weight = entry.integer('weight', 1, 100) ?? 1;
    entry.done();
    return { name, weight };
  });
}

function resourceGroups(args: ObjectReader): readonly string[] {
  const groups = args.strings('ignoredResourceGroups');
  for (const [i, group] of groups.entries()) {
    if (group.includes('/')) {
      args.invalid(
        `ignoredResourceGroups[${i}]`,
        `Invalid value: ${JSON.stringify(group)}: resource group name can't contain '/'`,
      );
    }
  }
  return groups;
}

function strategy(reader: ObjectReader): ScoringStrategy {
  const type = reader.oneOf('type', STRATEGIES) ?? 'LeastAllocated';
  const ratio = reader.object('requestedToCapacityRatio');
  const shape = ratio.objects('shape').map((point) => {
    const read = {
      utilization: point.integer('utilization', 0, 100) ?? 0,
      score: point.integer('score', 0, 10) ?? 0,
    };
    point.done();
    return read;
  });
  ratio.done();
  if (type === 'RequestedToCapacityRatio' && shape.length === 0) {
    ratio.invalid('shape', 'Required value: at least one point must be specified');
  }
  for (let i = 1; i < shape.length; i++) {
    if ((shape[i]?.utilization ?? 0) <= (shape[i - 1]?.utilization ?? 0)) {
      ratio.invalid(`shape[${i}].utilization`, 'Invalid value: utilization values must be sorted in increasing order');
    }
  }
  const specs = resources(reader) ?? defaultPluginArgs.NodeResourcesFit.scoringStrategy.resources;
  reader.done();
  return { type, resources: specs, shape };
}

function topologySpread(args: ObjectReader): PluginArgs['PodTopologySpread'] {
  const defaultConstraints = args.objects('defaultConstraints').map((entry): DeepReadonly<TopologySpreadConstraint> => {
    const constraint = {
      maxSkew: entry.integer('maxSkew', 1, MAX_INT32) ?? 1,
      topologyKey: entry.string('topologyKey') ?? '',
      whenUnsatisfiable: entry.oneOf('whenUnsatisfiable', ['DoNotSchedule', 'ScheduleAnyway']) ?? '',
    };
    for (const name of ['topologyKey', 'whenUnsatisfiable'] as const) {
      if (constraint[name] === '') entry.invalid(name, 'Required value');
    }
    if (entry.has('labelSelector')) {
      entry.invalid('labelSelector', 'Forbidden: constraint must not define a selector, as they deduced for each pod');
    }
    entry.ignore('labelSelector');
    entry.done();
    return constraint;
  });
  const defaultingType = args.oneOf('defaultingType', ['System', 'List']) ?? 'System';
  if (defaultingType === 'System' && defaultConstraints.length > 0) {
    args.invalid('defaultingType', `Invalid value: "System": when .defaultConstraints are not empty`);
  }
  return { defaultConstraints, defaultingType };
}
