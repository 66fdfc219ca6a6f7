import { beforeEach, describe, expect, it } from 'vitest';
import { AdmissionHarness, type Any } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

async function refused(spec: object, message: string): Promise<void> {
  await expect(harness.admitted(spec)).rejects.toThrow(`pods "p" is forbidden: ${message}`);
}

describe('the small plugins', () => {
  const notReady = {
    key: 'node.kubernetes.io/not-ready',
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  };
  const unreachable = { ...notReady, key: 'node.kubernetes.io/unreachable' };

  it.each([
    [undefined, [notReady, unreachable]],
    [[{ key: unreachable.key, operator: 'Exists' }], [{ key: unreachable.key, operator: 'Exists' }, notReady]],
    [[{ operator: 'Exists', effect: 'NoExecute' }], [{ operator: 'Exists', effect: 'NoExecute' }]],
  ])('DefaultTolerationSeconds: %j', async (tolerations, wanted) => {
    expect((await harness.admitted(tolerations === undefined ? {} : { tolerations })).spec.tolerations).toEqual(wanted);
  });

  it('TaintNodesByCondition, StorageObjectInUseProtection and the default classes', async () => {
    const node = (await harness.run('nodes', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } })).object as Any;
    expect(node.spec.taints).toEqual([
      { key: 'a', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
    ]);
    const annotations = (kind: string) => ({ [`${kind}.kubernetes.io/is-default-class`]: 'true' });
    const at = (name: string, day: number, kind: string) => ({
      metadata: { name, creationTimestamp: `2026-01-0${day}T00:00:00Z`, annotations: annotations(kind) },
    });
    harness.put('storageclasses', at('old', 1, 'storageclass'));
    harness.put('storageclasses', at('new', 2, 'storageclass'));
    harness.put('ingressclasses', at('nginx', 1, 'ingressclass'));
    const claim = (await harness.run('persistentvolumeclaims', { spec: {} })).object as Any;
    expect(claim.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    expect(claim.spec.storageClassName).toBe('new');
    const none = (await harness.run('persistentvolumeclaims', { spec: { storageClassName: '' } })).object as Any;
    expect(none.spec.storageClassName).toBe('');
    expect(((await harness.run('ingresses', { spec: {} })).object as Any).spec.ingressClassName).toBe('nginx');
  });

  it('RuntimeClass', async () => {
    harness.put('runtimeclasses', {
      metadata: { name: 'rc' },
      handler: 'h',
      overhead: { podFixed: { cpu: '50m', memory: '10Mi' } },
      scheduling: { nodeSelector: { rt: 'yes' }, tolerations: [{ key: 'rt', operator: 'Exists' }] },
    });
    const rc = { runtimeClassName: 'rc' };
    expect((await harness.admitted({ ...rc, nodeSelector: { a: 'b' } })).spec).toMatchObject({
      overhead: { cpu: '50m', memory: '10Mi' },
      nodeSelector: { a: 'b', rt: 'yes' },
      tolerations: [notReady, unreachable, { key: 'rt', operator: 'Exists' }],
    });
    await refused(
      { ...rc, overhead: { cpu: '1' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    );
    await refused(
      { ...rc, nodeSelector: { rt: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[rt] = yes; pod.spec.nodeSelector[rt] = no',
    );
    await refused({ runtimeClassName: 'ghost' }, 'pod rejected: RuntimeClass "ghost" not found');
  });

  it('OwnerReferencesPermissionEnforcement', async () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u', blockOwnerDeletion: true };
    const owned = { metadata: { ownerReferences: [owner] } };
    await expect(harness.run('configmaps', owned)).rejects.toThrow(
      "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>",
    );
    await expect(harness.run('configmaps', owned, { oldObject: {} })).rejects.toThrow(
      "cannot set an ownerRef on a resource you can't delete",
    );
    const root = { username: 'root', groups: ['system:masters'] };
    await harness.run('configmaps', owned, { user: root });
    await harness.run('configmaps', { metadata: { ownerReferences: [{ ...owner, blockOwnerDeletion: false }] } });
    await harness.run('configmaps', owned, { oldObject: owned });
  });
});
