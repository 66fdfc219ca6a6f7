import { EXTENSION_POINTS } from '../framework/framework.ts';
import { registeredPlugins } from '../plugins/index.ts';
import {
  DEFAULT_SCHEDULER_NAME,
  defaultConfiguration,
  defaultSelections,
  type ExtenderConfiguration,
  type ExtenderTLS,
  type PluginSelection,
  type PluginSelections,
  type ProfileConfiguration,
  type SchedulerConfiguration,
} from './configuration.ts';
import { readPluginArgs } from './read-plugin-args.ts';
import { type FieldProblem, ObjectReader, SchedulerConfigError } from './reader.ts';

const API_VERSION = 'kubescheduler.config.k8s.io/v1';
const KIND = 'KubeSchedulerConfiguration';
const MAX_INT32 = 2 ** 31 - 1;
const DEFAULT_EXTENDER_TIMEOUT_MS = 5000;

/** What a scheduler in a process of its own would need: it runs in this one, on its client and its metrics. */
const OF_THE_PROCESS = [
  'leaderElection',
  'clientConnection',
  'healthzBindAddress',
  'metricsBindAddress',
  'enableProfiling',
  'enableContentionProfiling',
  'parallelism',
  'delayCacheUntilActive',
];

/**
 * Reads a KubeSchedulerConfiguration (the parsed YAML or JSON of the file). Throws a SchedulerConfigError that names every
 * field that is unknown or wrong.
 */
export function readConfiguration(document: unknown): SchedulerConfiguration {
  const problems: FieldProblem[] = [];
  const reader = new ObjectReader(document ?? {}, '', problems);
  const apiVersion = reader.string('apiVersion');
  const kind = reader.string('kind');
  if (apiVersion !== API_VERSION || kind !== KIND) {
    throw new SchedulerConfigError(
      `no kind ${JSON.stringify(kind ?? '')} is registered for version ${JSON.stringify(apiVersion ?? '')}: want ${KIND} of ${API_VERSION}`,
    );
  }
  reader.ignore(...OF_THE_PROCESS);
  const initialSeconds = reader.integer('podInitialBackoffSeconds', 1, MAX_INT32) ?? 1;
  const maxSeconds = reader.integer('podMaxBackoffSeconds', 1, MAX_INT32) ?? 10;
  if (maxSeconds < initialSeconds) {
    reader.invalid(
      'podMaxBackoffSeconds',
      `Invalid value: ${maxSeconds}: must be greater than or equal to PodInitialBackoffSeconds`,
    );
  }
  const profiles = reader.objects('profiles').map(readProfile);
  const names = new Set<string>();
  for (const [i, { schedulerName }] of profiles.entries()) {
    if (names.has(schedulerName))
      reader.invalid(`profiles[${i}].schedulerName`, `Duplicate value: ${JSON.stringify(schedulerName)}`);
    names.add(schedulerName);
  }
  const configuration: SchedulerConfiguration = {
    percentageOfNodesToScore: reader.integer('percentageOfNodesToScore', 0, 100) ?? 0,
    podInitialBackoffMs: initialSeconds * 1000,
    podMaxBackoffMs: maxSeconds * 1000,
    profiles: profiles.length === 0 ? defaultConfiguration.profiles : profiles,
    extenders: reader.objects('extenders').map(readExtender),
  };
  if (configuration.extenders.filter(({ bindVerb }) => bindVerb !== undefined).length > 1) {
    reader.invalid('extenders', 'Invalid value: only one extender can implement bind');
  }
  reader.done();
  if (problems.length > 0) {
    throw new SchedulerConfigError(problems.map(({ message }) => message).join('; '), problems);
  }
  return configuration;
}

function readProfile(reader: ObjectReader): ProfileConfiguration {
  const profile = {
    schedulerName: reader.string('schedulerName') ?? DEFAULT_SCHEDULER_NAME,
    percentageOfNodesToScore: reader.integer('percentageOfNodesToScore', 0, 100),
    plugins: readSelections(reader.object('plugins')),
    args: readPluginArgs(reader.objects('pluginConfig')),
  };
  if (profile.schedulerName === '') reader.invalid('schedulerName', 'Required value');
  reader.done();
  return profile;
}

function readSelections(reader: ObjectReader): PluginSelections {
  const selections: Record<string, PluginSelection> = {};
  for (const point of ['multiPoint', ...EXTENSION_POINTS] as const) {
    const set = reader.object(point);
    selections[point] = {
      enabled: set.objects('enabled').map((entry) => readReference(entry, true)),
      disabled: set.objects('disabled').map((entry) => readReference(entry).name),
    };
    set.done();
  }
  reader.done();
  return { ...defaultSelections, ...selections };
}

/** `mustExist`: what does not exist cannot be switched on. */
function readReference(entry: ObjectReader, mustExist = false): { name: string; weight: number } {
  const name = entry.string('name') ?? '';
  if (name === '') entry.invalid('name', 'Required value');
  else if (mustExist && !registeredPlugins.some((plugin) => plugin.name === name))
    entry.invalid('name', `plugin ${JSON.stringify(name)} does not exist`);
  const weight = entry.integer('weight', 0, MAX_INT32) ?? 0;
  entry.done();
  return { name, weight };
}

function readExtender(reader: ObjectReader): ExtenderConfiguration {
  const urlPrefix = reader.string('urlPrefix') ?? '';
  if (!URL.canParse(urlPrefix))
    reader.invalid('urlPrefix', `Invalid value: ${JSON.stringify(urlPrefix)}: must be a URL`);
  const prioritizeVerb = reader.string('prioritizeVerb');
  const weight = reader.integer('weight', 0, MAX_INT32) ?? 0;
  if (prioritizeVerb !== undefined && weight <= 0) {
    reader.invalid('weight', `Invalid value: ${weight}: must have a positive weight applied to it`);
  }
  const usesTLS = reader.boolean('enableHTTPS') === true || reader.has('tlsConfig');
  const extender = {
    urlPrefix,
    filterVerb: reader.string('filterVerb'),
    preemptVerb: reader.string('preemptVerb'),
    prioritizeVerb,
    bindVerb: reader.string('bindVerb'),
    weight,
    httpTimeoutMs: reader.durationMs('httpTimeout') || DEFAULT_EXTENDER_TIMEOUT_MS,
    tls: usesTLS ? readTLS(reader.object('tlsConfig')) : undefined,
    nodeCacheCapable: reader.boolean('nodeCacheCapable') ?? false,
    managedResources: reader.objects('managedResources').map((entry) => {
      const resource = {
        name: entry.string('name') ?? '',
        ignoredByScheduler: entry.boolean('ignoredByScheduler') ?? false,
      };
      if (resource.name === '') entry.invalid('name', 'Required value');
      entry.done();
      return resource;
    }),
    ignorable: reader.boolean('ignorable') ?? false,
  };
  reader.done();
  return extender;
}

function readTLS(reader: ObjectReader): ExtenderTLS {
  const data = (name: string): string | undefined => {
    const text = reader.string(name);
    return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
  };
  const tls = {
    insecure: reader.boolean('insecure') ?? false,
    serverName: reader.string('serverName'),
    certFile: reader.string('certFile'),
    keyFile: reader.string('keyFile'),
    caFile: reader.string('caFile'),
    certData: data('certData'),
    keyData: data('keyData'),
    caData: data('caData'),
  };
  reader.done();
  return tls;
}
