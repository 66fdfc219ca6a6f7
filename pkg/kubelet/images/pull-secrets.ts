import type { AuthConfig } from '../../cri/index.ts';
import type { Secret } from '../types.ts';
import type { ImageName } from './image-name.ts';

interface RegistryEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** Entries by the server that they are for, as docker's configuration has them. */
export type RegistryEntries = Readonly<Record<string, RegistryEntry>>;

/** The credentials in pull secrets that fit an image, the most specific first. Secrets that do not parse are left out. */
export function credentialsFor(image: ImageName, secrets: readonly Secret[]): AuthConfig[] {
  return matchingCredentials(image, secrets.map(registries));
}

/** The credentials that fit an image, the most specific first. */
export function matchingCredentials(image: ImageName, lists: readonly RegistryEntries[]): AuthConfig[] {
  const found: { length: number; auth: AuthConfig }[] = [];
  for (const entries of lists) {
    for (const [server, entry] of Object.entries(entries)) {
      const place = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
      if (matches(image, place)) found.push({ length: place.length, auth: authConfig(entry) });
    }
  }
  return found.sort((a, b) => b.length - a.length).map(({ auth }) => auth);
}

function registries(secret: Secret): RegistryEntries {
  const isOld = secret.type === 'kubernetes.io/dockercfg';
  const base64 = secret.data?.[isOld ? '.dockercfg' : '.dockerconfigjson'];
  return base64 === undefined ? {} : (registryEntries(Buffer.from(base64, 'base64').toString(), isOld) ?? {});
}

/** A file of docker's: `config.json`, or the `.dockercfg` of old. Undefined when it is none. Pure. */
export function registryEntries(text: string, isOld: boolean): RegistryEntries | undefined {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return undefined;
  }
  const entries = isOld ? config : (config as { auths?: unknown } | null)?.auths;
  if (typeof entries !== 'object' || entries === null) return undefined;
  return Object.fromEntries(Object.entries(entries).filter(([, entry]) => typeof entry === 'object' && entry !== null));
}

const DOCKER_HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** `place` is HOST[:PORT][/PATH]; `*` stands for any one label of the host. */
function matches(image: ImageName, place: string): boolean {
  const slash = place.indexOf('/');
  const host = slash < 0 ? place : place.slice(0, slash);
  const path = slash < 0 ? '' : place.slice(slash + 1);
  if (path !== '' && image.repository !== path && !image.repository.startsWith(`${path}/`)) return false;
  if (image.registry === 'docker.io' && DOCKER_HUB.has(host)) return true;
  const wanted = host.split('.');
  const labels = image.registry.split('.');
  return wanted.length === labels.length && wanted.every((label, index) => label === '*' || label === labels[index]);
}

/** Without a server address: the runtime would insist on a URL there, and the entry was chosen by its server already. */
function authConfig(entry: RegistryEntry): AuthConfig {
  const [username, password] = entry.auth === undefined ? [entry.username, entry.password] : splitAuth(entry.auth);
  return {
    username: username ?? '',
    password: password ?? '',
    ...(entry.identitytoken === undefined ? {} : { identityToken: entry.identitytoken }),
    ...(entry.registrytoken === undefined ? {} : { registryToken: entry.registrytoken }),
  };
}

function splitAuth(auth: string): [string, string] {
  const text = Buffer.from(auth, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')];
}
