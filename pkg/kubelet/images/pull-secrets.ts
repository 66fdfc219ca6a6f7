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

/** The credentials in pull secrets that fit an image, the most specific first. Secrets that do not parse are left out. */
export function credentialsFor(image: ImageName, secrets: readonly Secret[]): AuthConfig[] {
  const found: { length: number; auth: AuthConfig }[] = [];
  for (const secret of secrets) {
    for (const [server, entry] of Object.entries(registries(secret))) {
      const place = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
      if (matches(image, place)) found.push({ length: place.length, auth: authConfig(entry) });
    }
  }
  return found.sort((a, b) => b.length - a.length).map(({ auth }) => auth);
}

function registries(secret: Secret): Readonly<Record<string, RegistryEntry>> {
  const read = (key: string): unknown => {
    const base64 = secret.data?.[key];
    if (base64 === undefined) return undefined;
    try {
      return JSON.parse(Buffer.from(base64, 'base64').toString());
    } catch {
      return undefined;
    }
  };
  const config = secret.type === 'kubernetes.io/dockercfg' ? { auths: read('.dockercfg') } : read('.dockerconfigjson');
  const auths = (config as { auths?: unknown } | undefined)?.auths;
  return typeof auths === 'object' && auths !== null ? (auths as Record<string, RegistryEntry>) : {};
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
