import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isStatusError } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { type Client, createClient, HTTPTransport, type RestClientMetrics } from '../../client/index.ts';
import { type AgentConfig, ConfigError } from '../../config/index.ts';
import type { ServingCertificate, ServingCertificateSource } from '../../kubelet/index.ts';
import {
  caHash,
  ensureRequestedLeaf,
  type KeyPair,
  type KubeconfigOptions,
  type LeafProfile,
  parseJoinToken,
  renewalMs,
} from '../../pki/index.ts';
import { type ClusterFacts, readClusterConfigMap } from '../cluster-config-map.ts';
import { requestCertificate } from './request-certificate.ts';
import { fetchServerCA } from './server-ca.ts';
import { unreachedReason } from './unreached.ts';

export interface CredentialOptions {
  readonly config: AgentConfig;
  /** `agent/tls`: certificates, keys, and what the cluster is like. */
  readonly directory: string;
  readonly nodeIPs: readonly string[];
}

export interface CredentialDeps {
  readonly clock: Clock;
  readonly requests: RestClientMetrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const RETRY_MS = 2_000;
const RENEWAL_RETRY_MS = 60_000;

/**
 * A node's identity in a cluster that it has joined: the server's authority, a client certificate as `system:node:NAME`, a
 * serving certificate for its kubelet, all from files after the first time and renewed before their end.
 */
export class NodeCredentials implements Component, ServingCertificateSource {
  readonly name = 'node-credentials';
  readonly cluster: ClusterFacts;
  readonly transport: HTTPTransport;
  readonly #options: CredentialOptions;
  readonly #deps: CredentialDeps;
  readonly #client: Client;
  readonly #ca: string;
  readonly #pair: { client: KeyPair; serving: KeyPair };
  readonly #listeners = new Set<(certificate: ServingCertificate) => void>();

  private constructor(
    options: CredentialOptions,
    deps: CredentialDeps,
    parts: { ca: string; cluster: ClusterFacts; transport: HTTPTransport; pair: { client: KeyPair; serving: KeyPair } },
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#ca = parts.ca;
    this.cluster = parts.cluster;
    this.transport = parts.transport;
    this.#pair = parts.pair;
    this.#client = createClient(parts.transport);
  }

  /**
   * Joins the cluster, or takes up what an earlier start has left; waits for a server that does not answer. Throws ConfigError
   * for a server that is another than the token's, for a token that it does not accept, and when there is none.
   */
  static async open(options: CredentialOptions, deps: CredentialDeps): Promise<NodeCredentials> {
    const ca = await serverCA(options, deps);
    const pair = { client: await clientPair(options, ca, deps), serving: { certificatePEM: '', keyPEM: '' } };
    const transport = new HTTPTransport(
      { server: options.config.server, ca, clientCertificate: () => pair.client, userAgent: 'kube-lite-agent' },
      deps,
    );
    const client = createClient(transport);
    const cluster = await clusterFacts(options, client, deps);
    pair.serving = await servingPair(options, ca, client, deps);
    return new NodeCredentials(options, deps, { ca, cluster, transport, pair });
  }

  /** For commands on this machine. */
  get kubeconfig(): KubeconfigOptions {
    const { certificatePEM, keyPEM } = this.#pair.client;
    return {
      server: this.#options.config.server,
      certificateAuthorityPEM: this.#ca,
      clientCertificatePEM: certificatePEM,
      clientKeyPEM: keyPEM,
    };
  }

  current(): ServingCertificate {
    const { certificatePEM, keyPEM } = this.#pair.serving;
    return { cert: certificatePEM, key: keyPEM, clientCA: this.cluster.clientCAPEM };
  }

  onRenewed(listener: (certificate: ServingCertificate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Renews certificates as they come near their end. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, logger } = this.#deps;
    ready();
    let retryMs = 0;
    while (!signal.aborted) {
      const { client, serving } = this.#pair;
      const dueMs = Math.min(renewalMs(client.certificatePEM), renewalMs(serving.certificatePEM));
      await clock.sleep(Math.max(dueMs - clock.now(), retryMs), signal);
      if (signal.aborted) return;
      try {
        await this.#renew(signal);
        retryMs = 0;
      } catch (error) {
        if (signal.aborted) return;
        retryMs = RENEWAL_RETRY_MS;
        logger.warn({ err: error }, 'certificates of this node could not be renewed; trying again');
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const deps = { ...this.#deps, signal };
    this.#pair.client = await ensureRequestedLeaf(this.#options.directory, undefined, clientProfile(this.#options), {
      clock: deps.clock,
      request: requester(this.#client, this.#options, signal),
    });
    this.#pair.serving = await servingPair(this.#options, this.#ca, this.#client, deps);
    for (const listener of this.#listeners) listener(this.current());
  }
}

/** The server's authority: from an earlier start, unless the token is of another. */
async function serverCA({ config, directory }: CredentialOptions, deps: CredentialDeps): Promise<string> {
  const path = join(directory, 'server-ca.crt');
  const known = await readFile(path, 'utf8').catch(() => undefined);
  const wanted = parseJoinToken(config.token ?? '')?.caHash ?? config.caHash;
  if (known !== undefined && (wanted === undefined || caHash(known) === wanted)) return known;
  if (config.token === undefined) throw needsToken(config.server);
  if (wanted === undefined) {
    throw new ConfigError(
      '--token: a bootstrap token does not say who the server is; add --ca-hash sha256:HEX, or use the token in DATA-DIR/server/token of the server',
    );
  }
  const found = await untilReached(() => fetchServerCA(config.server, wanted, deps.signal), config.server, deps);
  // What another cluster has signed is of no use.
  await rm(directory, { recursive: true, force: true });
  await writeNew(directory, 'server-ca.crt', found);
  return found;
}

async function clientPair(options: CredentialOptions, ca: string, deps: CredentialDeps): Promise<KeyPair> {
  const { config, directory } = options;
  const request = async (requestPEM: string, usage: LeafProfile['usage']): Promise<string> => {
    const { token } = config;
    if (token === undefined) throw needsToken(config.server);
    const transport = new HTTPTransport({ server: config.server, ca, token: () => token }, deps);
    try {
      return await requester(createClient(transport), options, deps.signal)(requestPEM, usage);
    } catch (error) {
      if (isStatusError(error, 'Unauthorized')) {
        throw new ConfigError(
          `--token: ${config.server} does not accept it; take the one in DATA-DIR/server/token of the server, or a bootstrap token that has not ended`,
          { cause: error },
        );
      }
      throw error;
    } finally {
      await transport.close();
    }
  };
  const ensure = (): Promise<KeyPair> =>
    ensureRequestedLeaf(directory, undefined, clientProfile(options), { clock: deps.clock, request });
  return untilReached(ensure, config.server, deps);
}

async function servingPair(
  options: CredentialOptions,
  ca: string,
  client: Client,
  deps: CredentialDeps,
): Promise<KeyPair> {
  const request = requester(client, options, deps.signal);
  const profile: LeafProfile = {
    name: 'kubelet-serving',
    commonName: `system:node:${options.config.nodeName}`,
    organizations: ['system:nodes'],
    usage: 'server',
    alternativeNames: [options.config.nodeName, ...options.nodeIPs],
  };
  const ensure = (): Promise<KeyPair> =>
    ensureRequestedLeaf(options.directory, ca, profile, { clock: deps.clock, request });
  return untilReached(ensure, options.config.server, deps);
}

function clientProfile({ config }: CredentialOptions): LeafProfile {
  return {
    name: 'kubelet-client',
    commonName: `system:node:${config.nodeName}`,
    organizations: ['system:nodes'],
    usage: 'client',
    alternativeNames: [],
  };
}

function requester(client: Client, { config }: CredentialOptions, signal: AbortSignal) {
  return (requestPEM: string, usage: LeafProfile['usage']): Promise<string> =>
    requestCertificate(client, config.nodeName, requestPEM, usage, signal);
}

/** What the cluster is like: from the server, or as it was when that does not answer. */
async function clusterFacts(
  { config, directory }: CredentialOptions,
  client: Client,
  deps: CredentialDeps,
): Promise<ClusterFacts> {
  const path = join(directory, 'cluster.json');
  const known = await readFile(path, 'utf8').catch(() => undefined);
  try {
    const read = (): Promise<ClusterFacts> => readClusterConfigMap(client, deps.signal);
    const facts = await (known === undefined ? untilReached(read, config.server, deps) : read());
    await writeNew(directory, 'cluster.json', JSON.stringify(facts));
    return facts;
  } catch (error) {
    if (isStatusError(error, 'Unauthorized')) {
      await rm(directory, { recursive: true, force: true });
      throw new ConfigError(
        `${config.server} does not know this node any more; start again with --token, and it joins anew`,
        { cause: error },
      );
    }
    if (known === undefined || isStatusError(error)) throw error;
    deps.logger.warn({ err: error, server: config.server }, `${unreachedReason(error)}; going on as before`);
    return JSON.parse(known) as ClusterFacts;
  }
}

/** Repeats what fails because the server cannot be reached; what it refuses is thrown. */
async function untilReached<T>(attempt: () => Promise<T>, server: string, deps: CredentialDeps): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      deps.signal.throwIfAborted();
      if (error instanceof ConfigError || isStatusError(error)) throw error;
      deps.logger.warn({ err: error, server }, `${unreachedReason(error)}; trying again`);
      await deps.clock.sleep(RETRY_MS, deps.signal);
    }
  }
}

function needsToken(server: string): ConfigError {
  return new ConfigError(
    `--token is missing: this node has not joined ${server} yet; the server keeps it in DATA-DIR/server/token`,
  );
}

async function writeNew(directory: string, name: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, name), text, { mode: 0o600 });
}
