import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A registries.yaml: where images of a registry come from, and how each place is reached. The form that k3s users know. */
export interface RegistriesFile {
  readonly mirrors?: Readonly<
    Record<string, { readonly endpoint?: readonly string[]; readonly rewrite?: Readonly<Record<string, string>> }>
  >;
  readonly configs?: Readonly<
    Record<
      string,
      {
        readonly auth?: {
          readonly username?: string;
          readonly password?: string;
          readonly auth?: string;
          readonly token?: string;
        };
        readonly tls?: {
          readonly ca_file?: string;
          readonly cert_file?: string;
          readonly key_file?: string;
          readonly insecure_skip_verify?: boolean;
        };
      }
    >
  >;
}

/** What cannot be carried over to containerd, by name. */
export class RegistriesError extends Error {
  override readonly name = 'RegistriesError';
}

/** Docker Hub is reached under another name than its images have. */
const HUB = 'docker.io';
const HUB_HOST = 'registry-1.docker.io';
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d+)?$/;

/** What a user gives to be let in, in containerd's words. */
export type RegistryAuth = Readonly<Partial<Record<'username' | 'password' | 'auth' | 'identitytoken', string>>>;

/** What containerd is told of registries. */
export interface RegistrySettings {
  /** Its `HOST/hosts.toml` files, by host. */
  readonly files: ReadonlyMap<string, string>;
  /** By the host that is asked. */
  readonly auths: ReadonlyMap<string, RegistryAuth>;
}

/** A registries.yaml for containerd. Throws a RegistriesError for what is wrong in it, or cannot be carried over. */
export function registrySettings(file: RegistriesFile): RegistrySettings {
  const mirrors = table('mirrors', file.mirrors);
  const configs = table('configs', file.configs);
  const files = new Map<string, string>();
  const auths = new Map<string, RegistryAuth>();
  const note = (host: string, config: Config | undefined): void => {
    const auth = authOf(config);
    if (auth !== undefined) auths.set(host, auth);
  };
  for (const host of new Set([...Object.keys(mirrors), ...Object.keys(configs)])) {
    const { endpoint = [], rewrite } = mirrors[host] ?? {};
    if (rewrite !== undefined) throw new RegistriesError(`mirrors.${host}.rewrite is not supported`);
    if (!Array.isArray(endpoint)) throw new RegistriesError(`mirrors.${host}.endpoint is not a list`);
    const ownHost = host === HUB ? HUB_HOST : host;
    const server = `https://${ownHost}`;
    const lines = host === '*' ? [] : [`server = ${JSON.stringify(server)}`];
    const places = endpoint.length > 0 ? endpoint : host === '*' ? [] : [server];
    for (const place of places) {
      const url = endpointURL(host, place);
      const own = configs[url.host];
      const name = JSON.stringify(url.href.replace(/\/$/, ''));
      lines.push(`[host.${name}]`, '  capabilities = ["pull", "resolve"]', ...access(own ?? configs[host]));
      if (own !== undefined) note(url.host, own);
      else if (url.host !== ownHost) lines.push(...header(name, configs[host]));
    }
    if (host !== '*') note(ownHost, configs[host]);
    files.set(host === '*' ? '_default' : host.replace(/:(\d+)$/, '_$1_'), `${lines.join('\n')}\n`);
  }
  return { files, auths };
}

/** Its keys become names of directories. */
function table<T>(name: string, hosts: Readonly<Record<string, T>> | null | undefined): Readonly<Record<string, T>> {
  if (hosts === undefined || hosts === null) return {};
  if (typeof hosts !== 'object' || Array.isArray(hosts)) throw new RegistriesError(`${name} is not a map of hosts`);
  for (const host of Object.keys(hosts)) {
    if (host !== '*' && !HOST.test(host)) throw new RegistriesError(`${name}: "${host}" is not a host`);
  }
  return hosts;
}

function endpointURL(host: string, place: unknown): URL {
  const text = String(place);
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`);
  if (url === null) throw new RegistriesError(`mirrors.${host}.endpoint: "${text}" is not a URL`);
  return url;
}

type Config = NonNullable<RegistriesFile['configs']>[string];

function access(config: Config | undefined): string[] {
  const { ca_file, cert_file, key_file, insecure_skip_verify } = config?.tls ?? {};
  const lines: string[] = [];
  if (ca_file !== undefined) lines.push(`  ca = ${JSON.stringify(ca_file)}`);
  if (cert_file !== undefined)
    lines.push(`  client = [[${JSON.stringify(cert_file)}, ${JSON.stringify(key_file ?? cert_file)}]]`);
  if (insecure_skip_verify === true) lines.push('  skip_verify = true');
  return lines;
}

/** Lets the user into a mirror only for what it mirrors: what is pulled from that place under its own name needs its own credentials. */
function header(name: string, config: Config | undefined): string[] {
  const { identitytoken, auth, username, password } = authOf(config) ?? {};
  const basic =
    auth ?? (username === undefined ? undefined : Buffer.from(`${username}:${password}`).toString('base64'));
  if (identitytoken === undefined && basic === undefined) return [];
  const authorization = identitytoken === undefined ? `Basic ${basic}` : `Bearer ${identitytoken}`;
  return [`  [host.${name}.header]`, `    authorization = ${JSON.stringify(authorization)}`];
}

function authOf(config: Config | undefined): RegistryAuth | undefined {
  const { username, password, auth, token } = config?.auth ?? {};
  if (token !== undefined) return { identitytoken: token };
  if (auth !== undefined) return { auth };
  return username === undefined ? undefined : { username, password: password ?? '' };
}

/**
 * Writes the hosts.toml files of a registries.yaml's text below `directory`, replacing all that were there; returns what lets the
 * user in. Throws a RegistriesError, or the error of the YAML parser.
 */
export async function writeRegistries(text: string, directory: string): Promise<ReadonlyMap<string, RegistryAuth>> {
  const file: unknown = parse(text) ?? {};
  if (typeof file !== 'object') throw new RegistriesError('mirrors and configs are expected');
  const { files, auths } = registrySettings(file as RegistriesFile);
  await rm(directory, { recursive: true, force: true });
  for (const [host, content] of files) {
    await mkdir(join(directory, host), { recursive: true, mode: 0o700 });
    await writeFile(join(directory, host, 'hosts.toml'), content, { mode: 0o600 });
  }
  return auths;
}
