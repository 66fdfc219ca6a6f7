import { describe, expect, test } from 'vitest';
import type { SchedulerPlugin } from '../framework/plugin.ts';
import { type RegisteredPlugin, registeredPlugins } from '../plugins/index.ts';
import { defaultConfiguration, defaultSelections, type PluginSelections } from './configuration.ts';
import { pluginSet } from './plugin-set.ts';
import { readConfiguration } from './read-configuration.ts';

const header = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' };
const problemsOf = (fields: object): string => {
  try {
    readConfiguration({ ...header, ...fields });
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('configuration file', () => {
  test('the default, with what belongs to a process of its own', () => {
    const process = { leaderElection: { leaderElect: false }, clientConnection: { kubeconfig: '/x' }, parallelism: 16 };
    expect(readConfiguration({ ...header, ...process })).toEqual(defaultConfiguration);
  });

  test('profiles, plugin arguments and extenders', () => {
    const configuration = readConfiguration({
      ...header,
      podInitialBackoffSeconds: 2,
      podMaxBackoffSeconds: 20,
      percentageOfNodesToScore: 30,
      profiles: [
        {
          schedulerName: 'packing',
          percentageOfNodesToScore: 100,
          plugins: { score: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit', weight: 5 }] } },
          pluginConfig: [
            {
              name: 'NodeResourcesFit',
              args: {
                apiVersion: header.apiVersion,
                kind: 'NodeResourcesFitArgs',
                ignoredResources: ['example.com/x'],
                scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 3 }] },
              },
            },
            { name: 'InterPodAffinity', args: { hardPodAffinityWeight: 50 } },
          ],
        },
      ],
      extenders: [
        {
          urlPrefix: 'https://x/y',
          filterVerb: 'filter',
          httpTimeout: '100ms',
          enableHTTPS: true,
          tlsConfig: { insecure: true },
          managedResources: [{ name: 'example.com/x', ignoredByScheduler: true }],
          ignorable: true,
        },
      ],
    });
    expect(configuration).toMatchObject({
      podInitialBackoffMs: 2000,
      podMaxBackoffMs: 20_000,
      percentageOfNodesToScore: 30,
      profiles: [
        {
          schedulerName: 'packing',
          percentageOfNodesToScore: 100,
          args: {
            InterPodAffinity: { hardPodAffinityWeight: 50, ignorePreferredTermsOfExistingPods: false },
            NodeResourcesFit: {
              ignoredResources: ['example.com/x'],
              scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 3 }] },
            },
            VolumeBinding: { bindTimeoutSeconds: 600 },
          },
        },
      ],
      extenders: [{ httpTimeoutMs: 100, ignorable: true, tls: { insecure: true } }],
    });
  });

  test.each<[object, string]>([
    [{ foo: 1 }, 'strict decoding error: unknown field "foo"'],
    [{ profiles: [{ shcedulerName: 'x' }] }, 'strict decoding error: unknown field "profiles[0].shcedulerName"'],
    [
      { profiles: [{ pluginConfig: [{ name: 'NodeResourcesFit', args: { strategy: 1 } }] }] },
      'strict decoding error: unknown field "profiles[0].pluginConfig[0].args.strategy"',
    ],
    [{ percentageOfNodesToScore: 101 }, 'percentageOfNodesToScore: Invalid value: 101: must be in the range [0, 100]'],
    [
      { profiles: [{ plugins: { score: { enabled: [{ name: 'None' }] } } }] },
      'profiles[0].plugins.score.enabled[0].name: plugin "None" does not exist',
    ],
    [{ profiles: {} }, 'profiles: must be a list'],
    [{ podInitialBackoffSeconds: 'x' }, 'podInitialBackoffSeconds: must be an integer'],
    [
      { podInitialBackoffSeconds: 5, podMaxBackoffSeconds: 3 },
      'podMaxBackoffSeconds: Invalid value: 3: must be greater than or equal to PodInitialBackoffSeconds',
    ],
    [{ profiles: [{ schedulerName: 'a' }, { schedulerName: 'a' }] }, 'profiles[1].schedulerName: Duplicate value: "a"'],
    [
      { profiles: [{ pluginConfig: [{ name: 'NodeName', args: {} }] }] },
      'profiles[0].pluginConfig[0].name: Invalid value: "NodeName": the plugin takes no arguments',
    ],
    [
      { profiles: [{ pluginConfig: [{ name: 'NodeResourcesFit', args: { scoringStrategy: { type: 'Best' } } }] }] },
      'profiles[0].pluginConfig[0].args.scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
    ],
    [
      { extenders: [{ urlPrefix: 'http://x', prioritizeVerb: 'p' }] },
      'extenders[0].weight: Invalid value: 0: must have a positive weight applied to it',
    ],
    [
      { extenders: [{ urlPrefix: 'http://x', httpTimeout: '5' }] },
      'extenders[0].httpTimeout: time: missing unit in duration "5"',
    ],
  ])('%j', (fields, problem) => {
    expect(problemsOf(fields)).toBe(problem);
  });

  test('another kind', () => {
    expect(() => readConfiguration({ ...header, apiVersion: 'kubescheduler.config.k8s.io/v1beta3' })).toThrow(
      'no kind "KubeSchedulerConfiguration" is registered for version "kubescheduler.config.k8s.io/v1beta3"',
    );
  });
});

describe('plugins of a profile', () => {
  const plain = (name: string, methods: Partial<SchedulerPlugin>): RegisteredPlugin => ({
    name,
    weight: 1,
    create: () => ({ name, ...methods }) as SchedulerPlugin,
  });
  const registered = [
    plain('Sort', { sortsBefore: () => 0 }),
    plain('Both', { filter: () => undefined, score: () => 0 }),
    plain('Filter', { filter: () => undefined }),
    plain('Bind', { bind: async () => true }),
  ];
  const setOf = (selections: Partial<PluginSelections>) =>
    pluginSet('p', { ...defaultSelections, ...selections }, registered, (plugin) =>
      plugin.create(undefined as never, undefined as never),
    );
  const on = (...names: string[]) => names.map((name) => ({ name, weight: 0 }));

  test.each<[string, Partial<PluginSelections>, string[]]>([
    ['the default order', {}, ['Both', 'Filter']],
    ['one off', { filter: { enabled: [], disabled: ['Both'] } }, ['Filter']],
    ['all off but one', { filter: { enabled: on('Filter'), disabled: ['*'] } }, ['Filter']],
    ['another order', { filter: { enabled: on('Filter', 'Both'), disabled: ['*'] } }, ['Filter', 'Both']],
    ['off everywhere', { multiPoint: { enabled: [], disabled: ['Filter'] } }, ['Both']],
    [
      'off everywhere and on at one point',
      { multiPoint: { enabled: [], disabled: ['Filter'] }, filter: { enabled: on('Filter'), disabled: [] } },
      ['Both', 'Filter'],
    ],
  ])('%s', (_name, selections, expected) => {
    expect(setOf(selections).filter.map(({ name }) => name)).toEqual(expected);
  });

  test.each<[Partial<PluginSelections>, string]>([
    [{ filter: { enabled: on('None'), disabled: [] } }, 'profile p: plugin "None" does not exist'],
    [{ score: { enabled: on('Filter'), disabled: [] } }, 'profile p: plugin "Filter" does not extend score plugin'],
    [{ queueSort: { enabled: [], disabled: ['*'] } }, 'profile p: one queue sort plugin required, but got 0'],
    [{ bind: { enabled: [], disabled: ['*'] } }, 'profile p: at least one bind plugin is needed'],
  ])('%j', (selections, problem) => {
    expect(() => setOf(selections)).toThrow(problem);
  });

  test('the default weights', () => {
    const weights = registeredPlugins.filter(({ weight }) => weight > 1).map(({ name, weight }) => [name, weight]);
    expect(weights).toEqual([
      ['TaintToleration', 3],
      ['NodeAffinity', 2],
      ['PodTopologySpread', 2],
      ['InterPodAffinity', 2],
    ]);
  });
});
