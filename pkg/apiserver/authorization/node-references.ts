import { resources } from '../../api/generated/resources.ts';
import type { Pod, PodSpec, Volume } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';

/** `secrets/NAMESPACE/NAME`: an object that a pod needs. */
export type Reference = string;

/** The objects that a pod refers to by name, which its node may read (upstream's visitors in pkg/api/v1/pod). */
export function podReferences(pod: DeepReadonly<Pod>): Set<Reference> {
  const found = new Set<Reference>();
  const { namespace } = pod.metadata;
  const add = (resource: string, name: string | undefined): void => {
    if (name) found.add(`${resource}/${namespace}/${name}`);
  };
  const { spec } = pod;
  add('serviceaccounts', spec.serviceAccountName);
  for (const secret of spec.imagePullSecrets ?? []) add('secrets', secret.name);
  for (const container of containersOf(spec)) {
    for (const source of container.envFrom ?? []) {
      add('configmaps', source.configMapRef?.name);
      add('secrets', source.secretRef?.name);
    }
    for (const env of container.env ?? []) {
      add('configmaps', env.valueFrom?.configMapKeyRef?.name);
      add('secrets', env.valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) volumeReferences(volume, pod.metadata.name, add);
  for (const claim of pod.status?.resourceClaimStatuses ?? []) add('resourceclaims', claim.resourceClaimName);
  for (const claim of spec.resourceClaims ?? []) add('resourceclaims', claim.resourceClaimName);
  return found;
}

function containersOf(spec: DeepReadonly<PodSpec>): readonly DeepReadonly<PodSpec['containers'][number]>[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
}

function volumeReferences(
  volume: DeepReadonly<Volume>,
  podName: string,
  add: (resource: string, name: string | undefined) => void,
): void {
  add('configmaps', volume.configMap?.name);
  add('secrets', volume.secret?.secretName);
  add('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral !== undefined) add('persistentvolumeclaims', `${podName}-${volume.name}`);
  for (const source of volume.projected?.sources ?? []) {
    add('configmaps', source.configMap?.name);
    add('secrets', source.secret?.name);
  }
  const withSecret = [
    volume.csi?.nodePublishSecretRef,
    volume.cephfs?.secretRef,
    volume.rbd?.secretRef,
    volume.iscsi?.secretRef,
  ];
  const more = [volume.flexVolume?.secretRef, volume.scaleIO?.secretRef, volume.storageos?.secretRef];
  for (const secret of [...withSecret, ...more]) add('secrets', secret?.name);
  add('secrets', volume.azureFile?.secretName);
}

/** Which objects the pods of each node refer to; follows the pods as they change. */
export class NodeReferences {
  readonly #byPod = new Map<string, { readonly node: string; readonly references: Set<Reference> }>();
  /** Node -> reference -> how many of its pods have it. */
  readonly #byNode = new Map<string, Map<Reference, number>>();

  static watch(reader: ObjectReader): { readonly references: NodeReferences; readonly stop: () => void } {
    const references = new NodeReferences();
    const stop = reader.onChange(resources.pods, (pod, change) => references.#set(pod, change !== 'DELETED'));
    for (const pod of reader.list(resources.pods)) references.#set(pod, true);
    return { references, stop };
  }

  has(node: string, resource: string, namespace: string, name: string): boolean {
    return this.#byNode.get(node)?.has(`${resource}/${namespace}/${name}`) === true;
  }

  /** The names of one kind of object that the node's pods refer to, as `namespace/name`. */
  *ofKind(node: string, resource: string): Iterable<string> {
    for (const reference of this.#byNode.get(node)?.keys() ?? []) {
      if (reference.startsWith(`${resource}/`)) yield reference.slice(resource.length + 1);
    }
  }

  #set(pod: DeepReadonly<Pod>, present: boolean): void {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const old = this.#byPod.get(key);
    const node = present ? (pod.spec.nodeName ?? '') : '';
    if (old !== undefined) {
      this.#byPod.delete(key);
      this.#count(old.node, old.references, -1);
    }
    if (node === '') return;
    const references = podReferences(pod).add(`pods/${key}`);
    this.#byPod.set(key, { node, references });
    this.#count(node, references, 1);
  }

  #count(node: string, references: Iterable<Reference>, by: 1 | -1): void {
    let counts = this.#byNode.get(node);
    if (counts === undefined) {
      counts = new Map();
      this.#byNode.set(node, counts);
    }
    for (const reference of references) {
      const count = (counts.get(reference) ?? 0) + by;
      if (count > 0) counts.set(reference, count);
      else counts.delete(reference);
    }
    if (counts.size === 0) this.#byNode.delete(node);
  }
}
