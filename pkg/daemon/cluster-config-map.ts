import { isStatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { ConfigMap } from '../api/generated/types.ts';
import type { Draft } from '../api/object.ts';
import { equalJSON } from '../base/json.ts';
import type { Client } from '../client/index.ts';
import type { ClusterConfig } from '../config/index.ts';

/** What an agent has to know of its cluster beside the server's address. */
export interface ClusterFacts extends ClusterConfig {
  /** PEM; kubelets believe its client certificates. */
  readonly clientCAPEM: string;
}

const KEY = { namespace: 'kube-system', name: 'kube-lite-cluster' };

/** Keeps ConfigMap kube-system/kube-lite-cluster, from which agents learn what the server's settings are. */
export async function ensureClusterConfigMap(facts: ClusterFacts, client: Client, signal?: AbortSignal): Promise<void> {
  const { clusterCIDRs, serviceCIDRs, clusterDNS, clusterDomain, networkBackend, clientCAPEM } = facts;
  const config = { clusterCIDRs, serviceCIDRs, clusterDNS, clusterDomain, networkBackend };
  const data = { 'cluster.json': JSON.stringify(config), 'client-ca.crt': clientCAPEM };
  try {
    const existing = await client.get(resources.configmaps, KEY, signal);
    if (!equalJSON(existing.data, data))
      await client.update(resources.configmaps, { ...existing, data } as Draft<ConfigMap>, {}, signal);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    await client.create(resources.configmaps, { metadata: KEY, data }, {}, signal);
  }
}

/** Throws StatusError, and an Error when the server is of another kind. */
export async function readClusterConfigMap(client: Client, signal?: AbortSignal): Promise<ClusterFacts> {
  const { data = {} } = await client.get(resources.configmaps, KEY, signal);
  const { 'cluster.json': config, 'client-ca.crt': clientCAPEM } = data;
  if (config === undefined || clientCAPEM === undefined) {
    throw new Error('ConfigMap kube-system/kube-lite-cluster does not say what the cluster is like');
  }
  return { ...(JSON.parse(config) as ClusterConfig), clientCAPEM };
}
