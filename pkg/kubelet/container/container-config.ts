import { resources } from '../../api/generated/resources.ts';
import type { ContainerConfig, Image, Mount, UserNamespace } from '../../cri/index.ts';
import { fieldContext, type KubeletContext } from '../context.ts';
import type { ContainerAllocation } from '../devices/device-plugin.ts';
import type { VolumeImage } from '../images/image-volumes.ts';
import {
  CONTAINER_HASH,
  CONTAINER_NAME_LABEL,
  containerHash,
  NODE_LABEL,
  POD_GRACE_PERIOD,
  POD_NAME_LABEL,
  POD_NAMESPACE_LABEL,
  POD_UID_LABEL,
  RESTART_COUNT,
  TERMINATION_MESSAGE_PATH,
  TERMINATION_MESSAGE_POLICY,
} from '../labels.ts';
import type { Container, EphemeralContainer, Pod } from '../types.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import { containerEnv, type EnvObjects } from './env.ts';
import { expand } from './expand.ts';
import { linuxResources } from './linux-resources.ts';
import { containerDevices, containerMounts } from './mounts.ts';
import { containerSecurityContext } from './security.ts';

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  readonly restartCount: number;
  readonly image: Image;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** Of the volumes that are images. */
  readonly images: ReadonlyMap<string, VolumeImage>;
  readonly podIPs: readonly string[];
  /** The container whose process namespace an ephemeral container joins. */
  readonly targetID?: string;
}

/** Everything that the runtime must know of a container. Throws a ContainerConfigError. */
export async function containerConfig(input: ContainerConfigInput, context: KubeletContext): Promise<ContainerConfig> {
  const { pod, container, restartCount, image } = input;
  const { options } = context;
  const user = { username: image.username, ...(image.uid === null ? {} : { uid: image.uid.value }) };
  const seccompDir = `${options.rootDir}/seccomp`;
  const users = context.userNamespaces.of(pod);
  const namespaces = { targetID: input.targetID, users };
  const securityContext = containerSecurityContext(pod, container, user, seccompDir, namespaces);
  const env = await containerEnv(pod, container, {
    objects: envObjects(context, pod.metadata.uid),
    services: context.services.list(),
    context: fieldContext(context, input.podIPs),
    volumes: input.volumes,
    unreadable: (err) =>
      context.deps.logger.warn({ err, pod: pod.metadata.name, container: container.name }, 'environment file not read'),
  });
  const mounts = await containerMounts({ ...input, env }, context);
  const { uid } = pod.metadata;
  const given = context.devices.given(uid, container.name).map((one) => one.given);
  if (given.length > 0) await context.devices.preStart(uid, container.name);
  const cdiDevices = [
    ...context.claims.devicesOf(pod, container).map((name) => ({ name })),
    ...given.flatMap((one) => one.cdiDevices),
  ];
  const variables = new Map([...given.flatMap(({ envs }) => Object.entries(envs)), ...env]);
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: image.id, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map((word) => expand(word, env)),
    args: (container.args ?? []).map((word) => expand(word, env)),
    workingDir: container.workingDir ?? '',
    envs: [...variables].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: [...given.flatMap((one) => one.mounts.map(deviceMount)), ...mounts].map((mount) =>
      mappedMount(mount, users),
    ),
    devices: [...given.flatMap(({ devices }) => devices), ...containerDevices(input)],
    ...(cdiDevices.length > 0 ? { CDIDevices: cdiDevices } : {}),
    labels: {
      [CONTAINER_NAME_LABEL]: container.name,
      [POD_NAME_LABEL]: pod.metadata.name,
      [POD_NAMESPACE_LABEL]: pod.metadata.namespace,
      [POD_UID_LABEL]: pod.metadata.uid,
      [NODE_LABEL]: options.nodeName,
    },
    annotations: {
      ...Object.assign({}, ...given.map((one) => one.annotations)),
      ...annotations(pod, container, restartCount),
    },
    logPath: containerLogPath(container.name, restartCount),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    linux: { resources: linuxResources(pod, container, context), securityContext },
  };
}

/** Below the directory of the pod's logs. */
export function containerLogPath(container: string, restartCount: number): string {
  return `${container}/${restartCount}.log`;
}

/** What is on the machine belongs to the same ids inside the pod's user namespace. */
function mappedMount(mount: Mount, users: UserNamespace | undefined): Mount {
  if (users === undefined) return mount;
  return { ...mount, uidMappings: users.uids ?? [], gidMappings: users.gids ?? [] };
}

function deviceMount({ containerPath, hostPath, readOnly }: ContainerAllocation['mounts'][number]): Mount {
  return { containerPath, hostPath, readonly: readOnly };
}

function annotations(
  pod: Pod,
  container: Container | EphemeralContainer,
  restartCount: number,
): Record<string, string> {
  const { terminationGracePeriodSeconds } = pod.spec;
  return {
    [CONTAINER_HASH]: containerHash(container),
    [RESTART_COUNT]: String(restartCount),
    [TERMINATION_MESSAGE_PATH]: container.terminationMessagePath ?? '',
    [TERMINATION_MESSAGE_POLICY]: container.terminationMessagePolicy ?? 'File',
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [POD_GRACE_PERIOD]: String(terminationGracePeriodSeconds) }),
  };
}

function envObjects(context: KubeletContext, podUID: string): EnvObjects {
  return {
    async configMap(namespace, name) {
      const found = await context.objects.get(resources.configmaps, namespace, name, podUID);
      return found === undefined ? undefined : (found.data ?? {});
    },
    async secret(namespace, name) {
      const found = await context.objects.get(resources.secrets, namespace, name, podUID);
      if (found === undefined) return undefined;
      const decode = ([key, base64]: [string, string]): [string, string] => [
        key,
        Buffer.from(base64, 'base64').toString(),
      ];
      return Object.fromEntries(Object.entries(found.data ?? {}).map(decode));
    },
  };
}
