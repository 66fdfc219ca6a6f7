import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { AdmissionHarness } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

async function refused(spec: object, message: string): Promise<void> {
  await expect(harness.admitted(spec)).rejects.toThrow(`pods "p" is forbidden: ${message}`);
}

describe('ServiceAccount', () => {
  it('mounts the token of the default account into every container', async () => {
    const { spec } = await harness.admitted({ initContainers: [{ name: 'i' }] });
    expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' });
    const [volume] = spec.volumes;
    expect(volume.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume.projected).toEqual({
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    });
    const mount = { name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    for (const container of [...spec.containers, ...spec.initContainers])
      expect(container.volumeMounts).toEqual([mount]);
  });

  it('respects opting out, own mounts and own pull secrets', async () => {
    harness.put('serviceaccounts', {
      metadata: { namespace: 'ns', name: 'quiet' },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'reg' }],
    });
    const quiet = { serviceAccountName: 'quiet' };
    expect((await harness.admitted(quiet)).spec).toMatchObject({ imagePullSecrets: [{ name: 'reg' }] });
    expect((await harness.admitted(quiet)).spec.volumes).toBeUndefined();
    expect((await harness.admitted({ ...quiet, automountServiceAccountToken: true })).spec.volumes).toHaveLength(1);
    const own = await harness.admitted({ ...quiet, imagePullSecrets: [{ name: 'own' }] });
    expect(own.spec.imagePullSecrets).toEqual([{ name: 'own' }]);
    const mount = { name: 'mine', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    const mounted = await harness.admitted({
      containers: [{ name: 'main', volumeMounts: [mount] }],
      volumes: [{ name: 'mine' }],
    });
    expect(mounted.spec.volumes).toEqual([{ name: 'mine' }]);
  });

  it('waits a little for the default account, and refuses others that are missing', async () => {
    await refused(
      { serviceAccountName: 'ghost' },
      'error looking up service account ns/ghost: serviceaccount "ghost" not found',
    );
    harness.reader.remove(resources.serviceaccounts, { namespace: 'ns', name: 'default' });
    const waiting = harness.admitted();
    await Promise.resolve();
    harness.put('serviceaccounts', { metadata: { namespace: 'ns', name: 'default' } });
    expect((await waiting).spec.serviceAccountName).toBe('default');
    harness.reader.remove(resources.serviceaccounts, { namespace: 'ns', name: 'default' });
    const late = expect(harness.admitted()).rejects.toThrow('serviceaccount "default" not found');
    await harness.clock.advance(2000);
    await late;
  });

  it('keeps a strict account to its own secrets', async () => {
    harness.put('serviceaccounts', {
      metadata: { namespace: 'ns', name: 'strict', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
      secrets: [{ name: 'okay' }],
    });
    const strict = { serviceAccountName: 'strict' };
    const volume = (secretName: string) => ({ ...strict, volumes: [{ name: 'v', secret: { secretName } }] });
    await harness.admitted(volume('okay'));
    const because = 'is not allowed because service account strict does not reference that secret';
    await refused(volume('other'), `volume with secret.secretName="other" ${because}`);
    const env = [{ name: 'E', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }];
    await refused(
      { ...strict, containers: [{ name: 'main', env }] },
      `container main with envVar E referencing secret.secretName="other" ${because}`,
    );
  });
});
