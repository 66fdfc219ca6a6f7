import type * as api from '../api/generated/types.ts';
import type { DeepReadonly } from '../base/json.ts';

export type Pod = DeepReadonly<api.Pod>;
export type PodSpec = DeepReadonly<api.PodSpec>;
export type PodStatus = DeepReadonly<api.PodStatus>;
export type PodCondition = DeepReadonly<api.PodCondition>;
export type Container = DeepReadonly<api.Container>;
export type EphemeralContainer = DeepReadonly<api.EphemeralContainer>;
export type ContainerStatus = DeepReadonly<api.ContainerStatus>;
export type Volume = DeepReadonly<api.Volume>;
export type VolumeMount = DeepReadonly<api.VolumeMount>;
export type Probe = DeepReadonly<api.Probe>;
export type LifecycleHandler = DeepReadonly<api.LifecycleHandler>;
export type Node = DeepReadonly<api.Node>;
export type Service = DeepReadonly<api.Service>;
export type ConfigMap = DeepReadonly<api.ConfigMap>;
export type Secret = DeepReadonly<api.Secret>;

export type ContainerKind = 'init' | 'app' | 'ephemeral';

/** One container of a pod spec with its place in it. */
export interface SpecContainer {
  readonly kind: ContainerKind;
  readonly container: Container | EphemeralContainer;
  /** `spec.containers{main}`: what events about it carry. */
  readonly fieldPath: string;
}

const FIELD: Readonly<Record<ContainerKind, string>> = {
  init: 'initContainers',
  app: 'containers',
  ephemeral: 'ephemeralContainers',
};

/** All containers in the order init, app, ephemeral. */
export function specContainers(spec: PodSpec): SpecContainer[] {
  const of = (kind: ContainerKind, list: readonly (Container | EphemeralContainer)[] = []): SpecContainer[] =>
    list.map((container) => ({ kind, container, fieldPath: `spec.${FIELD[kind]}{${container.name}}` }));
  return [
    ...of('init', spec.initContainers),
    ...of('app', spec.containers),
    ...of('ephemeral', spec.ephemeralContainers),
  ];
}

/** An init container that keeps running beside the app containers. */
export function isSidecar(container: Container | EphemeralContainer): boolean {
  return container.restartPolicy === 'Always';
}

/** `name_namespace(uid)`: upstream's way of naming a pod in messages. */
export function podText(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}
