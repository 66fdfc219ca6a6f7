import type { EventRecorder } from '../client/index.ts';
import type { SchedulerConfiguration } from './config/configuration.ts';
import { pluginSet } from './config/plugin-set.ts';
import { SchedulerConfigError } from './config/reader.ts';
import { Framework } from './framework/framework.ts';
import type { PluginHandle } from './framework/handle.ts';
import type { SchedulerPlugin } from './framework/plugin.ts';
import { registeredPlugins } from './plugins/index.ts';

export interface Profile {
  readonly framework: Framework;
  readonly recorder: EventRecorder;
  /** 0: adaptive. */
  readonly percentageOfNodesToScore: number;
}

/**
 * The profiles of a configuration by schedulerName, each with plugins of its own. Throws a SchedulerConfigError when plugins do
 * not go together; profiles share one queue, so they must sort it alike.
 */
export function createProfiles(
  configuration: SchedulerConfiguration,
  handle: Omit<PluginHandle, 'framework' | 'recorder'>,
  recorderFor: (schedulerName: string) => EventRecorder,
  ignoredResources: readonly string[] = [],
): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Profile>();
  for (const { schedulerName, plugins, args, percentageOfNodesToScore } of configuration.profiles) {
    let framework: Framework | undefined;
    const recorder = recorderFor(schedulerName);
    const own: PluginHandle = {
      ...handle,
      recorder,
      framework() {
        if (framework === undefined) throw new Error('plugins are not made yet');
        return framework;
      },
    };
    const fit = args.NodeResourcesFit;
    const withIgnored = {
      ...args,
      NodeResourcesFit: { ...fit, ignoredResources: [...fit.ignoredResources, ...ignoredResources] },
    };
    const set = pluginSet(schedulerName, plugins, registeredPlugins, (plugin) => plugin.create(withIgnored, own));
    framework = new Framework(schedulerName, set, handle);
    profiles.set(schedulerName, {
      framework,
      recorder,
      percentageOfNodesToScore: percentageOfNodesToScore ?? configuration.percentageOfNodesToScore,
    });
  }
  const sorts = new Set([...profiles.values()].map(({ framework }) => framework.plugins.queueSort[0]?.name));
  if (sorts.size > 1)
    throw new SchedulerConfigError('profiles: different queue sort plugins for profiles of one queue');
  return profiles;
}

/** Every plugin of a profile by name. */
export function pluginsByName(framework: Framework): ReadonlyMap<string, SchedulerPlugin> {
  return new Map(framework.all().map((plugin) => [plugin.name, plugin]));
}
