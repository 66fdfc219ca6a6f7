import type { DeepReadonly } from '../../base/json.ts';
import type { PodSpec, Volume, VolumeProjection } from '../generated/types.ts';
import { goQuote } from '../validation/go-format.ts';
import { claimSpecWarnings } from './claim-warnings.ts';

/** Kinds of volumes that are on their way out or gone: the field, the name that upstream shows, and what it says. */
const oldPlugins = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const;

export function volumeWarnings(spec: DeepReadonly<PodSpec>, path: string): string[] {
  const volumes = spec.volumes ?? [];
  return [
    ...volumes.flatMap((volume, i) => ownWarnings(volume, `${path}.volumes[${i}]`)),
    ...tokenPathWarnings(volumes, path),
  ];
}

/** About the kind of a volume, of a pod or persistent. */
export function pluginWarnings(
  sources: { readonly [name in (typeof oldPlugins)[number][0]]?: unknown },
  path: string,
): string[] {
  return oldPlugins.filter(([name]) => sources[name]).map(([, shown, text]) => `${path}.${shown}: ${text}`);
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
