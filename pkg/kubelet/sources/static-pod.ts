import { createHash } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import type { Pod as ApiPod } from '../../api/generated/types.ts';
import { podStrategy } from '../../api/kinds/pod.ts';
import { podReferences } from '../../api/pod-references.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { decodeObject } from '../../api/schema/codec.ts';
import { validateObjectMeta } from '../../api/validation/object-meta.ts';
import { CONFIG_HASH, CONFIG_SEEN, CONFIG_SOURCE } from '../labels.ts';
import type { Pod } from '../types.ts';

/** What a manifest holds is no pod that a node can run by itself. */
export class StaticPodError extends Error {
  override readonly name = 'StaticPodError';
}

export interface StaticPodOrigin {
  /** The manifest's file. */
  readonly path: string;
  readonly nodeName: string;
  readonly nowMs: number;
}

type Manifest = Record<string, unknown>;

/** The objects of a manifest (YAML or JSON), one a document. Throws when it is neither, or holds what is no object. */
export function manifestObjects(text: string): Manifest[] {
  const objects: Manifest[] = [];
  for (const document of parseAllDocuments(text)) {
    if ('errors' in document && document.errors[0] !== undefined) throw document.errors[0];
    const object: unknown = 'toJS' in document ? document.toJS() : undefined;
    if (object === null || object === undefined) continue;
    if (typeof object !== 'object' || Array.isArray(object)) throw new StaticPodError('a manifest must hold Pods only');
    objects.push(object as Manifest);
  }
  return objects;
}

/**
 * A manifest's pod as this node runs it: with the API server's defaults, a name and uid of the node's own, and a hash that tells one
 * version from the next. It is checked as the API server would, and may not refer to objects of the API: nobody vouches for them
 * where there is none. Throws a StaticPodError, or a DecodeError for fields of the wrong type.
 */
export function staticPod(manifest: Manifest, { path, nodeName, nowMs }: StaticPodOrigin): Pod {
  if (manifest['kind'] !== 'Pod' || manifest['apiVersion'] !== 'v1') {
    throw new StaticPodError(`a manifest must hold Pods of v1 only, not ${manifest['apiVersion']} ${manifest['kind']}`);
  }
  const uid = createHash('md5')
    .update(JSON.stringify([manifest, path, nodeName]))
    .digest('hex');
  const pod = decodeObject(builtinSchema('core.v1.Pod'), manifest, { mode: 'ignore' }).object as unknown as ApiPod;
  const { name, namespace, annotations } = pod.metadata ?? {};
  if (!name) throw new StaticPodError('invalid pod: name is needed for the pod');
  pod.metadata = {
    ...pod.metadata,
    name: `${name}-${nodeName.toLowerCase()}`,
    namespace: namespace || 'default',
    uid,
    annotations: {
      ...annotations,
      [CONFIG_HASH]: uid,
      [CONFIG_SEEN]: new Date(nowMs).toISOString(),
      [CONFIG_SOURCE]: 'file',
    },
  };
  const tolerations = [...(pod.spec?.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }];
  pod.spec = { ...pod.spec, nodeName, tolerations };
  pod.status = {};
  podStrategy.default?.(pod as never);
  check(pod, nowMs);
  return pod as Pod;
}

function check(pod: ApiPod, nowMs: number): void {
  const errors = [
    ...validateObjectMeta(pod.metadata, { namespaced: true }),
    ...(podStrategy.validate?.(pod as never, { nowMs, subresource: '' }) ?? []),
  ];
  if (errors.length > 0) {
    throw new StaticPodError(`invalid pod: ${errors.map(({ field, message }) => `${field}: ${message}`).join('; ')}`);
  }
  const reference = apiReference(pod);
  if (reference !== undefined) throw new StaticPodError(`static pods may not reference ${reference}`);
}

/** What of the API the pod cannot do without, by the name of its resource; undefined: nothing. */
function apiReference(pod: ApiPod): string | undefined {
  const { spec } = pod;
  const [reference] = podReferences(pod);
  if (reference !== undefined) return reference.slice(0, reference.indexOf('/'));
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims';
  for (const { csi, projected } of spec.volumes ?? []) {
    if (csi !== undefined) return 'csidrivers (via CSI volumes)';
    for (const source of projected?.sources ?? []) {
      if (source.serviceAccountToken !== undefined) return 'serviceaccounts (via projected volumes)';
      if (source.clusterTrustBundle !== undefined) return 'clustertrustbundles';
      if (source.podCertificate !== undefined) return 'podcertificates';
    }
  }
  return undefined;
}
