import type {
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  NamespaceOption,
  SecurityProfile,
  UserNamespace,
} from '../../cri/index.ts';
import type { Container, EphemeralContainer, Pod } from '../types.ts';
import { podText } from '../types.ts';
import { ContainerConfigError } from './env.ts';

/** Paths that containers must not see or change unless they ask for an unmasked /proc. */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface ImageUser {
  /** The numeric user of the image, if it names one. */
  readonly uid?: number;
  readonly username: string;
}

type SeccompProfile = NonNullable<NonNullable<Pod['spec']['securityContext']>['seccompProfile']>;

export function namespaceOptions(pod: Pod, users: UserNamespace | undefined, targetID?: string): NamespaceOption {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  const pid = hostPID === true ? 'NODE' : shareProcessNamespace === true ? 'POD' : 'CONTAINER';
  return {
    network: hostNetwork === true ? 'NODE' : 'POD',
    ipc: hostIPC === true ? 'NODE' : 'POD',
    pid: targetID === undefined ? pid : 'TARGET',
    ...(targetID === undefined ? {} : { targetId: targetID }),
    ...(users === undefined ? {} : { usernsOptions: users }),
  };
}

/** `seccompProfile`: the path of one that is made for the sandbox's own process. */
export function sandboxSecurityContext(
  pod: Pod,
  users: UserNamespace | undefined,
  seccompProfile: string | undefined,
): LinuxSandboxSecurityContext {
  const context = pod.spec.securityContext;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return {
    privileged: containers.some((container) => container.securityContext?.privileged === true),
    namespaceOptions: namespaceOptions(pod, users),
    seccomp:
      seccompProfile === undefined
        ? { profileType: 'RuntimeDefault' }
        : { profileType: 'Localhost', localhostRef: seccompProfile },
    ...(context?.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
    ...(context?.runAsGroup === undefined || context.runAsUser === undefined
      ? {}
      : { runAsGroup: { value: context.runAsGroup } }),
    supplementalGroups: supplementalGroups(pod),
    ...(context?.seLinuxOptions === undefined ? {} : { selinuxOptions: context.seLinuxOptions }),
  };
}

/**
 * `targetID`: the container whose process namespace an ephemeral container joins; `users`: the pod's user namespace. Throws a
 * ContainerConfigError.
 */
export function containerSecurityContext(
  pod: Pod,
  container: Container | EphemeralContainer,
  image: ImageUser,
  seccompDir: string,
  { targetID, users }: { readonly targetID?: string | undefined; readonly users?: UserNamespace | undefined } = {},
): LinuxContainerSecurityContext {
  const own = container.securityContext ?? {};
  const common = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? common.runAsUser;
  const runAsGroup = own.runAsGroup ?? common.runAsGroup;
  checkNonRoot(pod, container, image, own.runAsNonRoot ?? common.runAsNonRoot, runAsUser);
  const privileged = own.privileged === true;
  const unmasked = own.procMount === 'Unmasked' || privileged;
  const addsAdmin = own.capabilities?.add?.some((name) => name === 'SYS_ADMIN' || name === 'CAP_SYS_ADMIN') === true;
  const selinux = own.seLinuxOptions ?? common.seLinuxOptions;
  const apparmor = own.appArmorProfile ?? common.appArmorProfile;
  return {
    privileged,
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivs: own.allowPrivilegeEscalation === false && !privileged && !addsAdmin,
    capabilities: {
      addCapabilities: own.capabilities?.add ?? [],
      dropCapabilities: own.capabilities?.drop ?? [],
    },
    namespaceOptions: namespaceOptions(pod, users, targetID),
    ...(runAsUser !== undefined
      ? { runAsUser: { value: runAsUser } }
      : image.uid !== undefined
        ? { runAsUser: { value: image.uid } }
        : image.username === ''
          ? {}
          : { runAsUsername: image.username }),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    supplementalGroups: supplementalGroups(pod),
    supplementalGroupsPolicy: common.supplementalGroupsPolicy === 'Strict' ? 'Strict' : 'Merge',
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: seccomp(privileged ? undefined : (own.seccompProfile ?? common.seccompProfile), seccompDir),
    ...(apparmor === undefined
      ? {}
      : {
          apparmor: {
            profileType: apparmor.type as SecurityProfile['profileType'],
            ...(apparmor.localhostProfile === undefined ? {} : { localhostRef: apparmor.localhostProfile }),
          },
        }),
    ...(selinux === undefined ? {} : { selinuxOptions: selinux }),
  };
}

function supplementalGroups(pod: Pod): number[] {
  const { fsGroup, supplementalGroups: groups = [] } = pod.spec.securityContext ?? {};
  return fsGroup === undefined ? [...groups] : [...groups, fsGroup];
}

function seccomp(profile: SeccompProfile | undefined, seccompDir: string): SecurityProfile {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { profileType: 'RuntimeDefault' };
    case 'Localhost':
      return { profileType: 'Localhost', localhostRef: `${seccompDir}/${profile.localhostProfile ?? ''}` };
    default:
      return { profileType: 'Unconfined' };
  }
}

function checkNonRoot(
  pod: Pod,
  container: Container | EphemeralContainer,
  image: ImageUser,
  runAsNonRoot: boolean | undefined,
  runAsUser: number | undefined,
): void {
  if (runAsNonRoot !== true) return;
  const where = `(pod: "${podText(pod)}", container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  } else if (image.username !== '') {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  } else if (image.uid === undefined || image.uid === 0) {
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  }
}
