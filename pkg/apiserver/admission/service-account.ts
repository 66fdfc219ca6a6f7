import { resources } from '../../api/generated/resources.ts';
import type { Container, Pod, ServiceAccount, Volume } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { generateName } from '../registry/create.ts';
import { podOf, refuse } from './refuse.ts';

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** 3600 and a little, by which the token issuer knows these tokens. */
const TOKEN_SECONDS = 3607;
/** How long to wait for the `default` account, which a controller creates with its namespace. */
const WAIT_MS = 1500;

export interface ServiceAccountDeps {
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

/** Gives pods a ServiceAccount, its image pull secrets and its token (upstream's ServiceAccount plugin). */
export function serviceAccount(deps: ServiceAccountDeps): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    handles: (operation, { type }, subresource) =>
      type.group === '' &&
      type.resource === 'pods' &&
      (operation === 'CREATE' ? subresource === '' : operation === 'UPDATE' && subresource === 'ephemeralcontainers'),
    async admit(attributes) {
      if (attributes.operation !== 'CREATE') return;
      const pod = podOf(attributes);
      if (isMirror(pod)) {
        checkMirror(attributes, pod);
        return;
      }
      const name = pod.spec.serviceAccountName || 'default';
      pod.spec.serviceAccountName = name;
      pod.spec.serviceAccount = name;
      const account = await findAccount(attributes, name, deps);
      if (shouldMount(account, pod)) mountToken(pod);
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
        pod.spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
    },
    async validate(attributes) {
      const pod = podOf(attributes);
      if (isMirror(pod)) return;
      const account = await findAccount(attributes, pod.spec.serviceAccountName || 'default', deps);
      if (account.metadata.annotations?.[ENFORCE_ANNOTATION] === 'true') checkMountable(attributes, account, pod);
    },
  };
}

function isMirror(pod: Pod): boolean {
  return pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** Pods that stand for static pods cannot use the API. */
function checkMirror(attributes: AdmissionAttributes, pod: Pod): void {
  if (pod.spec.serviceAccountName) throw refuse(attributes, 'a mirror pod may not reference service accounts');
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken !== undefined))
      throw refuse(attributes, 'a mirror pod may not use ServiceAccountToken volume projections');
    if (volume.secret !== undefined) throw refuse(attributes, 'a mirror pod may not reference secrets');
  }
}

async function findAccount(
  attributes: AdmissionAttributes,
  name: string,
  deps: ServiceAccountDeps,
): Promise<DeepReadonly<ServiceAccount>> {
  const key = { namespace: attributes.namespace, name };
  const account =
    deps.reader.get(resources.serviceaccounts, key) ?? (name === 'default' ? await appearing(deps, key) : undefined);
  if (account !== undefined) return account;
  throw refuse(
    attributes,
    `error looking up service account ${attributes.namespace}/${name}: serviceaccount "${name}" not found`,
  );
}

function appearing(
  { reader, clock }: ServiceAccountDeps,
  key: { readonly namespace: string; readonly name: string },
): Promise<DeepReadonly<ServiceAccount> | undefined> {
  return new Promise((resolve) => {
    const finish = (account: DeepReadonly<ServiceAccount> | undefined): void => {
      stop();
      cancel();
      resolve(account);
    };
    const stop = reader.onChange(resources.serviceaccounts, ({ metadata }, change) => {
      if (metadata.name === key.name && metadata.namespace === key.namespace && change !== 'DELETED')
        finish(reader.get(resources.serviceaccounts, key));
    });
    const cancel = clock.after(WAIT_MS, () => finish(reader.get(resources.serviceaccounts, key)));
  });
}

function shouldMount(account: DeepReadonly<ServiceAccount>, pod: Pod): boolean {
  return pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

function mountToken(pod: Pod): void {
  const volumes = pod.spec.volumes ?? [];
  const existing = volumes.find((volume) => volume.name.startsWith(VOLUME_PREFIX));
  const name = existing?.name ?? freeName(volumes);
  let needed = false;
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some((mount) => mount.mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...mounts, { name, readOnly: true, mountPath: MOUNT_PATH }];
    needed = true;
  }
  if (needed && existing === undefined) pod.spec.volumes = [...volumes, tokenVolume(name)];
}

function freeName(volumes: readonly Volume[]): string {
  for (;;) {
    const name = generateName(VOLUME_PREFIX);
    if (!volumes.some((volume) => volume.name === name)) return name;
  }
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  };
}

/** For accounts that say so: a pod may only use the secrets that its account lists. */
function checkMountable(attributes: AdmissionAttributes, account: DeepReadonly<ServiceAccount>, pod: Pod): void {
  const { name } = account.metadata;
  const secrets = new Set((account.secrets ?? []).map((secret) => secret.name));
  const check = (secret: string | undefined, what: string): void => {
    if (secret !== undefined && !secrets.has(secret))
      throw refuse(
        attributes,
        `${what} secret.secretName="${secret}" is not allowed because service account ${name} does not reference that secret`,
      );
  };
  for (const volume of pod.spec.volumes ?? []) check(volume.secret?.secretName, 'volume with');
  const kinds: readonly (readonly [string, readonly Container[]])[] = [
    ['init container', pod.spec.initContainers ?? []],
    ['container', pod.spec.containers],
    ['ephemeral container', (pod.spec.ephemeralContainers ?? []) as Container[]],
  ];
  for (const [kind, containers] of kinds) {
    for (const container of containers) {
      for (const env of container.env ?? [])
        check(env.valueFrom?.secretKeyRef?.name, `${kind} ${container.name} with envVar ${env.name} referencing`);
      for (const source of container.envFrom ?? [])
        check(source.secretRef?.name, `${kind} ${container.name} with envFrom referencing`);
    }
  }
  const pull = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name));
  (pod.spec.imagePullSecrets ?? []).forEach((secret, index) => {
    if (!pull.has(secret.name))
      throw refuse(
        attributes,
        `imagePullSecrets[${index}].name="${secret.name}" is not allowed because service account ${name} does not reference that imagePullSecret`,
      );
  });
}
