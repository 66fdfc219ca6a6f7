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
const HUB_SERVER = 'https://registry-1.docker.io';

/** containerd's `HOST/hosts.toml` files for a registries.yaml, by host. Throws a RegistriesError. */
export function hostsFiles(file: RegistriesFile): ReadonlyMap<string, string> {
  const { mirrors = {}, configs = {} } = file;
  const files = new Map<string, string>();
  for (const host of new Set([...Object.keys(mirrors), ...Object.keys(configs)])) {
    const { endpoint = [], rewrite } = mirrors[host] ?? {};
    if (rewrite !== undefined) throw new RegistriesError(`mirrors.${host}.rewrite is not supported`);
    const server = host === HUB ? HUB_SERVER : `https://${host}`;
    const lines = host === '*' ? [] : [`server = ${JSON.stringify(server)}`];
    const places = endpoint.length > 0 ? endpoint : host === '*' ? [] : [server];
    for (const place of places) {
      const url = /^https?:\/\//.test(place) ? place : `https://${place}`;
      lines.push(`[host.${JSON.stringify(url)}]`, '  capabilities = ["pull", "resolve"]');
      lines.push(...access(configs[new URL(url).host] ?? configs[host]));
      const authorization = authHeader(configs[new URL(url).host] ?? configs[host]);
      if (authorization !== undefined) {
        lines.push(`  [host.${JSON.stringify(url)}.header]`, `    authorization = ${JSON.stringify(authorization)}`);
      }
    }
    files.set(host === '*' ? '_default' : host.replace(/:(\d+)$/, '_$1_'), `${lines.join('\n')}\n`);
  }
  return files;
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

function authHeader(config: Config | undefined): string | undefined {
  const { username, password, auth, token } = config?.auth ?? {};
  if (token !== undefined) return `Bearer ${token}`;
  if (auth !== undefined) return `Basic ${auth}`;
  return username === undefined
    ? undefined
    : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
}

/** Writes the hosts.toml files of a registries.yaml's text below `directory`, replacing all that were there. */
export async function writeRegistries(text: string, directory: string): Promise<void> {
  const files = hostsFiles((parse(text) ?? {}) as RegistriesFile);
  await rm(directory, { recursive: true, force: true });
  for (const [host, content] of files) {
    await mkdir(join(directory, host), { recursive: true, mode: 0o700 });
    await writeFile(join(directory, host, 'hosts.toml'), content, { mode: 0o600 });
  }
}
