import { isIPv6 } from 'node:net';
import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { KubeObject, ResourceType } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Transport } from '../../client/client.ts';
import type { ServiceAddresses } from '../services/service-addresses.ts';

export const SYSTEM_NAMESPACES: readonly string[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export interface SystemObjectsOptions {
  readonly advertiseAddress?: string;
  readonly port: number;
}

export interface SystemObjectsDeps {
  /** With the rights of system:masters. */
  readonly transport: Transport;
  readonly addresses: ServiceAddresses;
}

/** Creates the system namespaces and keeps the `kubernetes` Service and its endpoints as the options say. */
export async function ensureSystemObjects(options: SystemObjectsOptions, deps: SystemObjectsDeps): Promise<void> {
  for (const name of SYSTEM_NAMESPACES) {
    await ensure(deps.transport, resources.namespaces, '', { metadata: { name } });
  }
  if (options.advertiseAddress === undefined) return;
  const { kubernetesService, endpoints, endpointSlice } = wantedObjects(options, deps.addresses.kubernetesIP);
  await ensure(deps.transport, resources.services, 'default', kubernetesService);
  // Endpoints cannot hold loopback addresses.
  if (/^127\.|^::1$/.test(options.advertiseAddress)) return;
  await ensure(deps.transport, resources.endpoints, 'default', endpoints, ['subsets']);
  await ensure(deps.transport, resources.endpointslices, 'default', endpointSlice, ['endpoints', 'ports']);
}

function wantedObjects(
  options: SystemObjectsOptions,
  clusterIP: string,
): Record<'kubernetesService' | 'endpoints' | 'endpointSlice', Record<string, unknown>> {
  const { advertiseAddress = '', port } = options;
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const ports = [{ name: 'https', port, protocol: 'TCP' }];
  return {
    kubernetesService: {
      metadata: { name: 'kubernetes', namespace: 'default', labels },
      spec: {
        type: 'ClusterIP',
        clusterIP,
        clusterIPs: [clusterIP],
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
      },
    },
    endpoints: {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
      },
      subsets: [{ addresses: [{ ip: advertiseAddress }], ports }],
    },
    endpointSlice: {
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: isIPv6(advertiseAddress) ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
      ports,
    },
  };
}

/** Creates what is missing; of what exists, sets the listed fields where they differ. */
async function ensure<T>(
  transport: Transport,
  resource: ResourceType<T>,
  namespace: string,
  wanted: Record<string, unknown>,
  fields: readonly string[] = [],
): Promise<void> {
  const { name } = wanted['metadata'] as { name: string };
  const type = resource as unknown as ResourceType;
  let current: KubeObject;
  try {
    current = (await transport.request({ verb: 'get', type, namespace, name })) as KubeObject;
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    await transport.request({ verb: 'create', type, namespace, body: wanted });
    return;
  }
  if (fields.every((field) => equalJSON(current[field], wanted[field]))) return;
  const body = { ...current, ...Object.fromEntries(fields.map((field) => [field, wanted[field]])) };
  await transport.request({ verb: 'update', type, namespace, name, body });
}
