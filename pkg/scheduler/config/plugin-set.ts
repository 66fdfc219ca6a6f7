import { EXTENSION_POINTS, type ExtensionPoint, type PluginSet, type ScorePlugin } from '../framework/framework.ts';
import type { SchedulerPlugin } from '../framework/plugin.ts';
import type { RegisteredPlugin } from '../plugins/index.ts';
import type { PluginReference, PluginSelection, PluginSelections } from './configuration.ts';
import { SchedulerConfigError } from './reader.ts';

/** How the method of an extension point is called where it is not called as the point is. */
const METHODS: Partial<Record<ExtensionPoint, keyof SchedulerPlugin>> = { queueSort: 'sortsBefore' };

/** Points that more methods than one belong to. */
function extendsPoint(plugin: SchedulerPlugin, point: ExtensionPoint): boolean {
  if (point === 'reserve') return plugin.reserve !== undefined || plugin.unreserve !== undefined;
  return plugin[METHODS[point] ?? (point as keyof SchedulerPlugin)] !== undefined;
}

/**
 * Which plugins run at which point of a profile: those of `multiPoint` (the default ones unless disabled) wherever they have
 * something to do, with what is switched on or off at a single point. Upstream's order: plugins of the multi-point set
 * that a point names itself, the rest of that set, then the others that the point names. `create` makes a plugin once.
 * Throws a SchedulerConfigError for plugins that do not exist or have nothing to do at a point.
 */
export function pluginSet(
  profile: string,
  selections: PluginSelections,
  registered: readonly RegisteredPlugin[],
  create: (plugin: RegisteredPlugin) => SchedulerPlugin,
): PluginSet {
  const instances = new Map<string, SchedulerPlugin>();
  const instance = (name: string): SchedulerPlugin => {
    const known = instances.get(name);
    if (known !== undefined) return known;
    const registration = registered.find((plugin) => plugin.name === name);
    if (registration === undefined)
      throw new SchedulerConfigError(`profile ${profile}: plugin "${name}" does not exist`);
    const made = create(registration);
    instances.set(name, made);
    return made;
  };
  const multiPoint = merge(
    registered.map(({ name, weight }) => ({ name, weight })),
    selections.multiPoint,
  );
  const at = (point: ExtensionPoint): readonly PluginReference[] => {
    const { enabled, disabled } = selections[point];
    for (const { name } of enabled) {
      if (!extendsPoint(instance(name), point)) {
        throw new SchedulerConfigError(`profile ${profile}: plugin "${name}" does not extend ${point} plugin`);
      }
    }
    const everywhere = multiPoint.filter(({ name }) => extendsPoint(instance(name), point));
    const isNamed = ({ name }: PluginReference): boolean => enabled.some((one) => one.name === name);
    const isOff = ({ name }: PluginReference): boolean => disabled.includes('*') || disabled.includes(name);
    return [
      ...enabled.filter(({ name }) => everywhere.some((one) => one.name === name)),
      ...everywhere.filter((one) => !isNamed(one) && !isOff(one)),
      ...enabled.filter(({ name }) => !everywhere.some((one) => one.name === name)),
    ];
  };
  const points: Partial<Record<ExtensionPoint, readonly SchedulerPlugin[]>> = {};
  for (const point of EXTENSION_POINTS) points[point] = at(point).map(({ name }) => instance(name));
  const score: ScorePlugin[] = at('score').map(({ name, weight }) => ({ plugin: instance(name), weight: weight || 1 }));
  const set = { ...(points as Record<ExtensionPoint, readonly SchedulerPlugin[]>), score };
  if (set.queueSort.length !== 1) {
    throw new SchedulerConfigError(
      `profile ${profile}: one queue sort plugin required, but got ${set.queueSort.length}`,
    );
  }
  if (set.bind.length === 0) throw new SchedulerConfigError(`profile ${profile}: at least one bind plugin is needed`);
  return set;
}

/** The default plugins with changes: a default one that is named keeps its place, others follow. */
function merge(defaults: readonly PluginReference[], { enabled, disabled }: PluginSelection): PluginReference[] {
  const kept = disabled.includes('*') ? [] : defaults.filter(({ name }) => !disabled.includes(name));
  const replaced = kept.map((plugin) => enabled.find(({ name }) => name === plugin.name) ?? plugin);
  return [...replaced, ...enabled.filter(({ name }) => !kept.some((plugin) => plugin.name === name))];
}
