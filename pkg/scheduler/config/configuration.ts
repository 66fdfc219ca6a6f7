import type { ExtensionPoint } from '../framework/framework.ts';
import { defaultPluginArgs, type PluginArgs } from './plugin-args.ts';

/** A plugin that is named in a configuration; weight 0 is the default. */
export interface PluginReference {
  readonly name: string;
  readonly weight: number;
}

/** What is switched on and off at one extension point; `*` switches off all. */
export interface PluginSelection {
  readonly enabled: readonly PluginReference[];
  readonly disabled: readonly string[];
}

export type PluginSelections = Readonly<Record<ExtensionPoint | 'multiPoint', PluginSelection>>;

export interface ProfileConfiguration {
  readonly schedulerName: string;
  /** 0: adaptive; undefined: as for all profiles. */
  readonly percentageOfNodesToScore: number | undefined;
  readonly plugins: PluginSelections;
  readonly args: PluginArgs;
}

export interface ExtenderTLS {
  readonly insecure: boolean;
  readonly serverName: string | undefined;
  /** Paths. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly caFile: string | undefined;
  /** PEM. */
  readonly certData: string | undefined;
  readonly keyData: string | undefined;
  readonly caData: string | undefined;
}

export interface ExtenderConfiguration {
  readonly urlPrefix: string;
  /** Absent verbs are not asked of it. */
  readonly filterVerb: string | undefined;
  readonly preemptVerb: string | undefined;
  readonly prioritizeVerb: string | undefined;
  readonly bindVerb: string | undefined;
  readonly weight: number;
  readonly httpTimeoutMs: number;
  readonly tls: ExtenderTLS | undefined;
  /** It knows the nodes: names are enough. */
  readonly nodeCacheCapable: boolean;
  readonly managedResources: readonly { readonly name: string; readonly ignoredByScheduler: boolean }[];
  /** Scheduling goes on when it fails. */
  readonly ignorable: boolean;
}

/** A KubeSchedulerConfiguration with its defaults worked in. */
export interface SchedulerConfiguration {
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffMs: number;
  readonly podMaxBackoffMs: number;
  readonly profiles: readonly ProfileConfiguration[];
  readonly extenders: readonly ExtenderConfiguration[];
}

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler';

const NOTHING: PluginSelection = { enabled: [], disabled: [] };

/** Nothing switched on or off beside the default plugins. */
export const defaultSelections: PluginSelections = {
  multiPoint: NOTHING,
  preEnqueue: NOTHING,
  queueSort: NOTHING,
  preFilter: NOTHING,
  filter: NOTHING,
  postFilter: NOTHING,
  preScore: NOTHING,
  score: NOTHING,
  reserve: NOTHING,
  permit: NOTHING,
  preBind: NOTHING,
  bind: NOTHING,
  postBind: NOTHING,
};

export const defaultProfile: ProfileConfiguration = {
  schedulerName: DEFAULT_SCHEDULER_NAME,
  percentageOfNodesToScore: undefined,
  plugins: defaultSelections,
  args: defaultPluginArgs,
};

export const defaultConfiguration: SchedulerConfiguration = {
  percentageOfNodesToScore: 0,
  podInitialBackoffMs: 1000,
  podMaxBackoffMs: 10_000,
  profiles: [defaultProfile],
  extenders: [],
};
