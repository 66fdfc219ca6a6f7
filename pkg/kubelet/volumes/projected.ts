import type { Pod, Volume } from '../types.ts';
import { commonUser, configMapFiles, downwardFiles, type Files, secretFiles } from './projections.ts';
import { type MountedVolume, type VolumeDeps, VolumeError, type VolumePlugin, type VolumeSetup } from './volume.ts';

const DEFAULT_MODE = 0o644;

async function publish(setup: VolumeSetup, files: Files, refreshAtMs?: number): Promise<MountedVolume> {
  await setup.write(setup.dir, files, setup.deps.clock.now(), setup.pod.spec.securityContext?.fsGroup);
  return { hostPath: setup.dir, readOnly: true, ...(refreshAtMs === undefined ? {} : { refreshAtMs }) };
}

export const configMapVolume: VolumePlugin = {
  directory: 'kubernetes.io~configmap',
  inMemory: false,
  supports: (source) => source.configMap !== undefined,
  async setUp(setup) {
    const source = setup.source.configMap ?? {};
    return publish(setup, await configMapFiles(source, source.defaultMode ?? DEFAULT_MODE, setup.deps));
  },
};

export const secretVolume: VolumePlugin = {
  directory: 'kubernetes.io~secret',
  inMemory: true,
  supports: (source) => source.secret !== undefined,
  async setUp(setup) {
    const { secretName, defaultMode = DEFAULT_MODE, ...rest } = setup.source.secret ?? {};
    return publish(setup, await secretFiles({ ...rest, name: secretName }, defaultMode, setup.deps));
  },
};

export const downwardAPIVolume: VolumePlugin = {
  directory: 'kubernetes.io~downward-api',
  inMemory: true,
  supports: (source) => source.downwardAPI !== undefined,
  async setUp(setup) {
    const { items, defaultMode = DEFAULT_MODE } = setup.source.downwardAPI ?? {};
    return publish(setup, downwardFiles(setup.pod, items, defaultMode, setup.deps));
  },
};

export const projectedVolume: VolumePlugin = {
  directory: 'kubernetes.io~projected',
  inMemory: true,
  supports: (source) => source.projected !== undefined,
  async setUp(setup) {
    const { sources = [], defaultMode = DEFAULT_MODE } = setup.source.projected ?? {};
    const files: Files = new Map();
    const failures = new Set<string>();
    let refreshAtMs: number | undefined;
    for (const source of sources) {
      try {
        const { files: some, refreshAtMs: due } = await projection(setup.pod, source, defaultMode, setup.deps);
        for (const [path, file] of some) files.set(path, file);
        if (due !== undefined) refreshAtMs = Math.min(refreshAtMs ?? due, due);
      } catch (error) {
        if (!(error instanceof VolumeError)) throw error;
        failures.add(error.message);
      }
    }
    if (failures.size > 0) throw new VolumeError(listed([...failures]));
    return publish(setup, files, refreshAtMs);
  },
};

/** Several errors as Go lists them. */
function listed(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

async function projection(
  pod: Pod,
  source: Projection,
  mode: number,
  deps: VolumeDeps,
): Promise<{ files: Files; refreshAtMs?: number }> {
  if (source.configMap !== undefined) return { files: await configMapFiles(source.configMap, mode, deps) };
  if (source.secret !== undefined) return { files: await secretFiles(source.secret, mode, deps) };
  if (source.downwardAPI !== undefined) return { files: downwardFiles(pod, source.downwardAPI.items, mode, deps) };
  if (source.serviceAccountToken !== undefined) {
    const { audience = '', expirationSeconds = 3600, path } = source.serviceAccountToken;
    const { token, refreshAtMs } = await deps.tokens.token(pod, audience, expirationSeconds);
    const uid = commonUser(pod);
    const restricted = uid !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
    const file = { data: Buffer.from(token), mode: restricted ? 0o600 : mode, ...(uid === undefined ? {} : { uid }) };
    return { files: new Map([[path, file]]), refreshAtMs };
  }
  const [kind] = Object.keys(source);
  // Of a source that the API server does not know nothing is left.
  if (kind === undefined) return { files: new Map() };
  throw new VolumeError(`projected volume source ${kind} is not supported by this node`);
}
