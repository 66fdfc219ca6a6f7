/** The checks of the Pod Security Standards, with upstream's words (k8s.io/pod-security-admission/policy). */
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';

/** What a check has against a pod; undefined: nothing. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface CheckContext {
  readonly metadata: DeepReadonly<Pod['metadata']> | undefined;
  readonly spec: DeepReadonly<PodSpec>;
  readonly containers: readonly DeepReadonly<Container>[];
  /** Minor version of the policy; Infinity for `latest`. */
  readonly minor: number;
}

export type Check = (context: CheckContext) => Violation | undefined;

/** In quotation marks, which nothing escapes. */
const quote = (values: readonly string[]): string => values.map((value) => `"${value}"`).join(', ');
const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();

function those(names: readonly string[]): string {
  return `${names.length === 1 ? 'container' : 'containers'} ${quote(names)}`;
}

/** `pod`, `container "a"`, `pod and container "a"`. */
function setters(pod: boolean, names: readonly string[]): string {
  return [...(pod ? ['pod'] : []), ...(names.length > 0 ? [those(names)] : [])].join(' and ');
}

function namesWhere(
  { containers }: CheckContext,
  test: (
    context: NonNullable<DeepReadonly<Container>['securityContext']>,
    container: DeepReadonly<Container>,
  ) => boolean,
): string[] {
  return containers.filter((container) => test(container.securityContext ?? {}, container)).map(({ name }) => name);
}

const DEFAULT_CAPABILITIES = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
);

function addedBeyond(context: CheckContext, allowed: ReadonlySet<string>): { names: string[]; capabilities: string[] } {
  const capabilities: string[] = [];
  const names = namesWhere(context, ({ capabilities: own }) => {
    const bad = (own?.add ?? []).filter((capability) => !allowed.has(capability));
    capabilities.push(...bad);
    return bad.length > 0;
  });
  return { names, capabilities: unique(capabilities) };
}

function appArmor({ metadata, spec, containers }: CheckContext): Violation | undefined {
  const badTypes: string[] = [];
  const isBad = (profile: { readonly type?: string } | undefined): boolean => {
    if (profile === undefined || profile.type === 'RuntimeDefault' || profile.type === 'Localhost') return false;
    badTypes.push(profile.type ?? '');
    return true;
  };
  const pod = isBad(spec.securityContext?.appArmorProfile);
  const names = containers.filter((c) => isBad(c.securityContext?.appArmorProfile)).map(({ name }) => name);
  const annotations = Object.entries(metadata?.annotations ?? {})
    .filter(([key, value]) => key.startsWith(APPARMOR_ANNOTATION) && !isAppArmorAllowed(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const bad = [...unique(badTypes), ...annotations];
  if (bad.length === 0) return undefined;
  const where = [
    ...(pod || names.length > 0 ? [setters(pod, names)] : []),
    ...(annotations.length > 0 ? [annotations.length === 1 ? 'annotation' : 'annotations'] : []),
  ];
  return {
    reason: `forbidden AppArmor ${bad.length === 1 ? 'profile' : 'profiles'}`,
    detail: `${where.join(' and ')} must not set AppArmor profile type to ${quote(bad)}`,
  };
}

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

function isAppArmorAllowed(annotation: string): boolean {
  return annotation === '' || annotation === 'runtime/default' || annotation.startsWith('localhost/');
}

function baselineCapabilities(context: CheckContext): Violation | undefined {
  const { names, capabilities } = addedBeyond(context, DEFAULT_CAPABILITIES);
  if (names.length === 0) return undefined;
  const detail = `${those(names)} must not include ${quote(capabilities)} in securityContext.capabilities.add`;
  return { reason: 'non-default capabilities', detail };
}

function hostNamespaces({ spec }: CheckContext): Violation | undefined {
  const set = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true);
  if (set.length === 0) return undefined;
  return { reason: 'host namespaces', detail: set.map((field) => `${field}=true`).join(', ') };
}

function hostPathVolumes({ spec }: CheckContext): Violation | undefined {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: `${names.length === 1 ? 'volume' : 'volumes'} ${quote(names)}` };
}

function hostPorts(context: CheckContext): Violation | undefined {
  const ports: string[] = [];
  const names = namesWhere(context, (_, { ports: own }) => {
    const bad = (own ?? []).filter(({ hostPort }) => hostPort !== undefined && hostPort !== 0);
    ports.push(...bad.map(({ hostPort }) => String(hostPort)));
    return bad.length > 0;
  });
  if (names.length === 0) return undefined;
  const list = unique(ports);
  const verb = names.length === 1 ? 'uses' : 'use';
  return {
    reason: 'hostPort',
    detail: `${those(names)} ${verb} ${list.length === 1 ? 'hostPort' : 'hostPorts'} ${list.join(', ')}`,
  };
}

function hostProbes(context: CheckContext): Violation | undefined {
  const hosts: string[] = [];
  const names = namesWhere(context, (_, container) => {
    const probes = [container.livenessProbe, container.readinessProbe, container.startupProbe];
    const hooks = [container.lifecycle?.postStart, container.lifecycle?.preStop];
    const own = [...probes, ...hooks]
      .flatMap((handler) => [handler?.httpGet?.host ?? '', handler?.tcpSocket?.host ?? ''])
      .filter((host) => host !== '');
    hosts.push(...own);
    return own.length > 0;
  });
  if (names.length === 0) return undefined;
  const [containers, list] = [unique(names), unique(hosts)];
  const what = `probe or lifecycle ${list.length === 1 ? 'host' : 'hosts'} ${quote(list)}`;
  return {
    reason: 'probe or lifecycle host',
    detail: `${those(containers)} ${containers.length === 1 ? 'uses' : 'use'} ${what}`,
  };
}

function privileged(context: CheckContext): Violation | undefined {
  const names = namesWhere(context, ({ privileged: set }) => set === true);
  if (names.length === 0) return undefined;
  return { reason: 'privileged', detail: `${those(names)} must not set securityContext.privileged=true` };
}

/** From 1.35 on, pods in a user namespace of their own are freer. */
function relaxed({ spec, minor }: CheckContext): boolean {
  return minor >= 35 && spec.hostUsers === false;
}

function procMountUnlessRelaxed(context: CheckContext): Violation | undefined {
  return relaxed(context) ? undefined : procMount(context);
}

function procMount(context: CheckContext): Violation | undefined {
  const values: string[] = [];
  const names = namesWhere(context, ({ procMount: value }) => {
    if (value === undefined || value === 'Default') return false;
    values.push(value);
    return true;
  });
  if (names.length === 0) return undefined;
  return {
    reason: 'procMount',
    detail: `${those(names)} must not set securityContext.procMount to ${quote(unique(values))}`,
  };
}

function seLinux({ spec, containers, minor }: CheckContext): Violation | undefined {
  const types = [
    '',
    'container_t',
    'container_init_t',
    'container_kvm_t',
    ...(minor >= 31 ? ['container_engine_t'] : []),
  ];
  const badTypes: string[] = [];
  let [user, role] = [false, false];
  const isBad = (
    options: { readonly type?: string; readonly user?: string; readonly role?: string } | undefined,
  ): boolean => {
    if (options === undefined) return false;
    const badType = !types.includes(options.type ?? '');
    if (badType) badTypes.push(options.type ?? '');
    user ||= Boolean(options.user);
    role ||= Boolean(options.role);
    return badType || Boolean(options.user) || Boolean(options.role);
  };
  const pod = isBad(spec.securityContext?.seLinuxOptions);
  const names = containers
    .filter((container) => isBad(container.securityContext?.seLinuxOptions))
    .map(({ name }) => name);
  if (!pod && names.length === 0) return undefined;
  const list = unique(badTypes);
  const details = [
    ...(list.length > 0 ? [`${list.length === 1 ? 'type' : 'types'} ${quote(list)}`] : []),
    ...(user ? ['user may not be set'] : []),
    ...(role ? ['role may not be set'] : []),
  ];
  return {
    reason: 'seLinuxOptions',
    detail: `${setters(pod, names)} set forbidden securityContext.seLinuxOptions: ${details.join('; ')}`,
  };
}

const isSeccompAllowed = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost';

function badSeccomp(context: CheckContext): string | undefined {
  const { spec } = context;
  const podType = spec.securityContext?.seccompProfile?.type;
  const values: string[] = [];
  const isBad = (type: string | undefined): boolean => {
    if (type === undefined || isSeccompAllowed(type)) return false;
    values.push(type);
    return true;
  };
  const pod = isBad(podType);
  const names = namesWhere(context, ({ seccompProfile }) => isBad(seccompProfile?.type));
  if (!pod && names.length === 0) return undefined;
  return `${setters(pod, names)} must not set securityContext.seccompProfile.type to ${quote(unique(values))}`;
}

function baselineSeccomp(context: CheckContext): Violation | undefined {
  const detail = context.minor < 19 ? badSeccompAnnotations(context) : badSeccomp(context);
  return detail === undefined ? undefined : { reason: 'seccompProfile', detail };
}

/** Before there were fields, annotations named the profile. */
function badSeccompAnnotations({ metadata, containers }: CheckContext): string | undefined {
  const keys = [
    'seccomp.security.alpha.kubernetes.io/pod',
    ...containers.map(({ name }) => `container.seccomp.security.alpha.kubernetes.io/${name}`),
  ];
  const bad = keys.flatMap((key) => {
    const value = metadata?.annotations?.[key];
    const isAllowed = value === undefined || /^(?:runtime\/default$|docker\/default$|localhost\/)/.test(value);
    return isAllowed ? [] : [`${key}=${JSON.stringify(value)}`];
  });
  if (bad.length === 0) return undefined;
  return `forbidden ${bad.length === 1 ? 'annotation' : 'annotations'} ${unique(bad).join(', ')}`;
}

const SYSCTLS: readonly (readonly [sinceMinor: number, names: string])[] = [
  [
    0,
    'kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start',
  ],
  [27, 'net.ipv4.ip_local_reserved_ports'],
  [
    29,
    'net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes',
  ],
  [32, 'net.ipv4.tcp_rmem net.ipv4.tcp_wmem'],
];

function sysctls({ spec, minor }: CheckContext): Violation | undefined {
  const allowed = new Set(SYSCTLS.filter(([since]) => minor >= since).flatMap(([, names]) => names.split(' ')));
  const bad = (spec.securityContext?.sysctls ?? []).filter(({ name }) => !allowed.has(name)).map(({ name }) => name);
  return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
}

function windowsHostProcess(context: CheckContext): Violation | undefined {
  const pod = context.spec.securityContext?.windowsOptions?.hostProcess === true;
  const names = namesWhere(context, ({ windowsOptions }) => windowsOptions?.hostProcess === true);
  if (!pod && names.length === 0) return undefined;
  return {
    reason: 'hostProcess',
    detail: `${setters(pod, names)} must not set securityContext.windowsOptions.hostProcess=true`,
  };
}

/** Rules about Linux do not concern Windows pods. */
const isWindows = ({ spec, minor }: CheckContext): boolean => minor >= 25 && spec.os?.name === 'windows';

function allowPrivilegeEscalation(context: CheckContext): Violation | undefined {
  if (isWindows(context)) return undefined;
  const names = namesWhere(context, ({ allowPrivilegeEscalation: value }) => value !== false);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${those(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
}

function restrictedCapabilities(context: CheckContext): Violation | undefined {
  if (isWindows(context)) return undefined;
  const missing = namesWhere(context, ({ capabilities }) => !(capabilities?.drop ?? []).includes('ALL'));
  const { names, capabilities } = addedBeyond(context, new Set(['NET_BIND_SERVICE']));
  const details = [
    ...(missing.length > 0 ? [`${those(missing)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(names.length > 0
      ? [`${those(names)} must not include ${quote(capabilities)} in securityContext.capabilities.add`]
      : []),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

const ALLOWED_VOLUMES = new Set(
  'configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret name'.split(' '),
);

function restrictedVolumes({ spec }: CheckContext): Violation | undefined {
  const names: string[] = [];
  const types: string[] = [];
  for (const volume of spec.volumes ?? []) {
    const bad = Object.keys(volume).filter((field) => !ALLOWED_VOLUMES.has(field));
    if (bad.length === 0) continue;
    names.push(volume.name);
    types.push(...bad);
  }
  if (names.length === 0) return undefined;
  const list = unique(types);
  const what = `restricted volume ${list.length === 1 ? 'type' : 'types'} ${quote(list)}`;
  const detail = names.length === 1 ? `volume ${quote(names)} uses ${what}` : `volumes ${quote(names)} use ${what}`;
  return { reason: 'restricted volume types', detail };
}

function runAsNonRoot(context: CheckContext): Violation | undefined {
  if (relaxed(context)) return undefined;
  const podValue = context.spec.securityContext?.runAsNonRoot;
  const wrong = namesWhere(context, ({ runAsNonRoot: value }) => value === false);
  const reason = 'runAsNonRoot != true';
  if (podValue === false || wrong.length > 0)
    return { reason, detail: `${setters(podValue === false, wrong)} must not set securityContext.runAsNonRoot=false` };
  const missing = podValue === true ? [] : namesWhere(context, ({ runAsNonRoot: value }) => value === undefined);
  if (missing.length === 0) return undefined;
  return { reason, detail: `pod or ${those(missing)} must set securityContext.runAsNonRoot=true` };
}

function runAsUser(context: CheckContext): Violation | undefined {
  if (relaxed(context)) return undefined;
  const pod = context.spec.securityContext?.runAsUser === 0;
  const names = namesWhere(context, ({ runAsUser: value }) => value === 0);
  if (!pod && names.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${setters(pod, names)} must not set runAsUser=0` };
}

function restrictedSeccomp(context: CheckContext): Violation | undefined {
  if (isWindows(context)) return undefined;
  const reason = 'seccompProfile';
  const bad = badSeccomp(context);
  if (bad !== undefined) return { reason, detail: bad };
  if (context.spec.securityContext?.seccompProfile !== undefined) return undefined;
  const missing = namesWhere(context, ({ seccompProfile }) => seccompProfile === undefined);
  if (missing.length === 0) return undefined;
  const wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason, detail: `pod or ${those(missing)} ${wanted}` };
}

/** All of them; ./pod-security-levels.ts says which count when. */
export const podSecurityChecks = {
  allowPrivilegeEscalation,
  appArmor,
  baselineCapabilities,
  baselineSeccomp,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  procMountUnlessRelaxed,
  restrictedCapabilities,
  restrictedSeccomp,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seLinux,
  sysctls,
  windowsHostProcess,
} satisfies Readonly<Record<string, Check>>;
