import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { HTTPTransportOptions } from './http-transport.ts';

interface Cluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
}

interface User {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly exec?: unknown;
  readonly 'auth-provider'?: unknown;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly {
    readonly name: string;
    readonly context?: { readonly cluster?: string; readonly user?: string };
  }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Cluster }[];
  readonly users?: readonly { readonly name: string; readonly user?: User }[];
}

/** A kubeconfig that cannot be used; the message names the file and what is wrong. */
export class KubeconfigError extends Error {
  constructor(path: string, problem: string, options?: { cause?: unknown }) {
    super(`kubeconfig ${path}: ${problem}`, options);
    this.name = 'KubeconfigError';
  }
}

/**
 * Reads the connection of a context (default: the current one) from a kubeconfig file. Relative paths in it are relative
 * to the file. Exec plugins and auth providers are refused. Throws KubeconfigError.
 */
export async function loadKubeconfig(path: string, context?: string): Promise<HTTPTransportOptions> {
  let config: Kubeconfig;
  try {
    config = (parse(await readFile(path, 'utf8')) ?? {}) as Kubeconfig;
  } catch (cause) {
    throw new KubeconfigError(path, 'cannot be read', { cause });
  }
  const name = context ?? config['current-context'] ?? '';
  const chosen = config.contexts?.find((entry) => entry.name === name)?.context;
  if (chosen === undefined) throw new KubeconfigError(path, `context "${name}" does not exist`);
  const cluster = config.clusters?.find((entry) => entry.name === chosen.cluster)?.cluster;
  if (cluster?.server === undefined) throw new KubeconfigError(path, `cluster "${chosen.cluster}" has no server`);
  const user = config.users?.find((entry) => entry.name === chosen.user)?.user ?? {};
  if (user.exec !== undefined || user['auth-provider'] !== undefined) {
    throw new KubeconfigError(path, `user "${chosen.user}" needs an exec plugin or auth provider: not supported`);
  }
  const directory = dirname(path);
  const ca = await pem(directory, cluster['certificate-authority-data'], cluster['certificate-authority']);
  const certificate = await pem(directory, user['client-certificate-data'], user['client-certificate']);
  const key = await pem(directory, user['client-key-data'], user['client-key']);
  const { token, tokenFile } = user;
  const serverName = cluster['tls-server-name'];
  return {
    server: cluster.server,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster['insecure-skip-tls-verify'] ? { insecureSkipTLSVerify: true } : {}),
    ...(tokenFile !== undefined
      ? { token: async () => (await readFile(resolve(directory, tokenFile), 'utf8')).trim() }
      : token !== undefined
        ? { token: () => token }
        : {}),
  };
}

async function pem(directory: string, data: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return file === undefined ? undefined : readFile(resolve(directory, file), 'utf8');
}
