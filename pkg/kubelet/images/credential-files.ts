import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuthConfig } from '../../cri/index.ts';
import type { ImageName } from './image-name.ts';
import { matchingCredentials, type RegistryEntries, registryEntries } from './pull-secrets.ts';

const CONFIG = 'config.json';
const OLD_CONFIG = '.dockercfg';

/**
 * What the node itself has for an image: docker's `config.json` of the kubelet's directory, of the user's `.docker` or of `/.docker`,
 * else a `.dockercfg` in these places; the first that is one counts. Files are read anew each time. Upstream's default provider.
 */
export async function nodeCredentials(
  image: ImageName,
  { rootDir, homeDir }: { readonly rootDir: string; readonly homeDir: string },
): Promise<AuthConfig[]> {
  const places = [
    ...[rootDir, join(homeDir, '.docker'), '/.docker'].map((dir) => ({ path: join(dir, CONFIG), isOld: false })),
    ...[rootDir, homeDir, '/'].map((dir) => ({ path: join(dir, OLD_CONFIG), isOld: true })),
  ];
  for (const { path, isOld } of places) {
    const entries = await readEntries(path, isOld);
    if (entries !== undefined) return matchingCredentials(image, [entries]);
  }
  return [];
}

async function readEntries(path: string, isOld: boolean): Promise<RegistryEntries | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : registryEntries(text, isOld);
}
