import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { YAMLLines, YAMLProblem } from '../config/index.ts';
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

/** A kubeconfig that cannot be used; the message names the file, the line and the field. */
export class KubeconfigError extends Error {
  constructor(place: string, problem: string, options?: { cause?: unknown }) {
    super(`kubeconfig ${place}: ${problem}`, options);
    this.name = 'KubeconfigError';
  }
}

/**
 * Reads the connection of a context (default: the current one) from a kubeconfig file. Relative paths in it are relative
 * to the file. Exec plugins and auth providers are refused. Throws KubeconfigError.
 */
export async function loadKubeconfig(path: string, context?: string): Promise<HTTPTransportOptions> {
  const lines = await parse(path);
  const fail = (field: string, problem: string, cause?: unknown): never => {
    const place = `${path}:${lines.lineOf(field)}`;
    throw new KubeconfigError(place, `${field}: ${problem}`, cause === undefined ? {} : { cause });
  };
  const config = (lines.value ?? {}) as Kubeconfig;
  const entriesOf = <T extends { readonly name: string }>(field: keyof Kubeconfig, value: readonly T[] | undefined) => {
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? (value as readonly T[]) : fail(field, 'must be a list');
  };
  const name = context ?? config['current-context'] ?? '';
  const contexts = entriesOf('contexts', config.contexts);
  const at = contexts.findIndex((entry) => entry?.name === name);
  const chosen = contexts[at]?.context ?? fail('contexts', `context "${name}" does not exist`);
  const clusters = entriesOf('clusters', config.clusters);
  const clusterAt = clusters.findIndex((entry) => entry?.name === chosen.cluster);
  const cluster = clusters[clusterAt]?.cluster;
  const clusterField = clusterAt < 0 ? `contexts[${at}].context.cluster` : `clusters[${clusterAt}].cluster`;
  const server = cluster?.server ?? fail(clusterField, `cluster "${chosen.cluster}" has no server`);
  if (!URL.canParse(server)) fail(`${clusterField}.server`, `"${server}" is not a URL`);
  const users = entriesOf('users', config.users);
  const userAt = users.findIndex((entry) => entry?.name === chosen.user);
  const user = users[userAt]?.user ?? {};
  const userField = `users[${userAt}].user`;
  if (user.exec !== undefined || user['auth-provider'] !== undefined)
    fail(userField, `user "${chosen.user}" needs an exec plugin or auth provider: not supported`);
  const directory = dirname(path);
  const pem = async (data: string | undefined, file: string | undefined, field: string) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    if (file === undefined) return undefined;
    return readFile(resolve(directory, file), 'utf8').catch((cause: unknown) => fail(field, 'cannot be read', cause));
  };
  const ca = await pem(
    cluster?.['certificate-authority-data'],
    cluster?.['certificate-authority'],
    `${clusterField}.certificate-authority`,
  );
  const certificate = await pem(
    user['client-certificate-data'],
    user['client-certificate'],
    `${userField}.client-certificate`,
  );
  const key = await pem(user['client-key-data'], user['client-key'], `${userField}.client-key`);
  const { token, tokenFile } = user;
  const serverName = cluster?.['tls-server-name'];
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster?.['insecure-skip-tls-verify'] ? { insecureSkipTLSVerify: true } : {}),
    ...(tokenFile !== undefined
      ? { token: async () => (await readFile(resolve(directory, tokenFile), 'utf8')).trim() }
      : token !== undefined
        ? { token: () => token }
        : {}),
  };
}

async function parse(path: string): Promise<YAMLLines> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KubeconfigError(path, 'cannot be read', { cause });
  }
  try {
    return await YAMLLines.parse(text, '1.2');
  } catch (cause) {
    if (!(cause instanceof YAMLProblem)) throw cause;
    throw new KubeconfigError(`${path}:${cause.line}:${cause.column}`, cause.message, { cause });
  }
}
