import type { DeepReadonly } from '../../base/json.ts';
import type { PodSpec, Volume, VolumeProjection } from '../generated/types.ts';
import { goQuote } from '../validation/go-format.ts';
import { claimSpecWarnings } from './claim-warnings.ts';

/** Kinds of volumes that are on their way out or gone by their field: the name that upstream shows, and what it says. */
const oldPlugins: ReadonlyMap<string, { readonly shown: string; readonly text: string }> = new Map([
  ['photonPersistentDisk', { shown: 'photonPersistentDisk', text: 'deprecated in v1.11, non-functional in v1.16+' }],
  ['gitRepo', { shown: 'gitRepo', text: 'deprecated in v1.11, and disabled by default in v1.33+' }],
  ['scaleIO', { shown: 'scaleIO', text: 'deprecated in v1.16, non-functional in v1.22+' }],
  ['flocker', { shown: 'flocker', text: 'deprecated in v1.22, non-functional in v1.25+' }],
  ['storageos', { shown: 'storageOS', text: 'deprecated in v1.22, non-functional in v1.25+' }],
  ['quobyte', { shown: 'quobyte', text: 'deprecated in v1.22, non-functional in v1.25+' }],
  ['glusterfs', { shown: 'glusterfs', text: 'deprecated in v1.25, non-functional in v1.26+' }],
  ['cephfs', { shown: 'cephfs', text: 'deprecated in v1.28, non-functional in v1.31+' }],
  ['rbd', { shown: 'rbd', text: 'deprecated in v1.28, non-functional in v1.31+' }],
]);

export function volumeWarnings(spec: DeepReadonly<PodSpec>, path: string): string[] {
  const volumes = spec.volumes ?? [];
  return [
    ...volumes.flatMap((volume, i) => ownWarnings(volume, `${path}.volumes[${i}]`)),
    ...tokenPathWarnings(volumes, path),
  ];
}

/** About the kind of a persistent volume: of two that are gone as well upstream does not say so. */
export function persistentPluginWarnings(spec: object, path: string): string[] {
  return pluginWarnings({ ...spec, flocker: undefined, quobyte: undefined }, path);
}

/** About the kind of a pod's volume. */
function pluginWarnings(volume: object, path: string): string[] {
  const sources = volume as Readonly<Record<string, unknown>>;
  const old = new Set<string>();
  for (const name in sources) if (oldPlugins.has(name) && sources[name]) old.add(name);
  if (old.size === 0) return [];
  return [...oldPlugins].filter(([name]) => old.has(name)).map(([, { shown, text }]) => `${path}.${shown}: ${text}`);
}

function ownWarnings(volume: DeepReadonly<Volume>, path: string): string[] {
  const warnings = pluginWarnings(volume, path);
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (template) warnings.push(...claimSpecWarnings(template.spec, `${path}.ephemeral.volumeClaimTemplate.spec`));
  return warnings;
}

/** Other files of projected volumes at the path of a token, in whichever volume. */
function tokenPathWarnings(volumes: readonly DeepReadonly<Volume>[], path: string): string[] {
  const tokens = new Set<string>();
  for (const { projected } of volumes) {
    for (const { serviceAccountToken } of projected?.sources ?? []) {
      if (serviceAccountToken) tokens.add(serviceAccountToken.path);
    }
  }
  if (tokens.size === 0) return [];
  return volumes.flatMap(({ projected }, i) =>
    (projected?.sources ?? []).flatMap((source) =>
      filesOf(source)
        .filter(([, file]) => tokens.has(file))
        .map(
          ([at, file]) =>
            `${path}.volumes[${i}].projected.sources.${at}: has duplicated path with ServiceAccountToken ${goQuote(file)}`,
        ),
    ),
  );
}

function filesOf(source: DeepReadonly<VolumeProjection>): [string, string][] {
  const files: [string, string][] = [];
  for (const [j, item] of (source.configMap?.items ?? []).entries()) files.push([`configMap[${j}]`, item.path]);
  for (const [j, item] of (source.secret?.items ?? []).entries()) files.push([`secrets[${j}]`, item.path]);
  for (const [j, item] of (source.downwardAPI?.items ?? []).entries()) files.push([`downwardAPI[${j}]`, item.path]);
  return files;
}
