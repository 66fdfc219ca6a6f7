import { describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { StatefulSet } from '../../api/generated/types.ts';
import { finishPods, runPods, startControllers } from '../testing.ts';
import { newStatefulSetController } from './statefulset-controller.ts';

const key = { namespace: 'n', name: 'db' };

function setup() {
  const started = startControllers((deps) => [newStatefulSetController(deps)]);
  const { cluster, clock } = started;
  return {
    ...started,
    create: (spec: Partial<StatefulSet['spec']> = {}) =>
      cluster.add(resources.statefulsets, {
        metadata: key,
        spec: {
          replicas: 2,
          serviceName: 'db',
          selector: { matchLabels: { app: 'db' } },
          template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'main', image: 'a' }] } },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
          ...spec,
        },
        status: { replicas: 0, availableReplicas: 0 },
      }),
    edit: (change: (set: StatefulSet) => void) =>
      cluster.change<StatefulSet>(resources.statefulsets, key, (set) => {
        set.metadata.generation = (set.metadata.generation ?? 0) + 1;
        change(set);
      }),
    status: () => cluster.get(resources.statefulsets, key)?.status,
    settle: async () => {
      for (let i = 0; i < 12; i++) {
        await clock.advance(50);
        runPods(cluster, clock);
        finishPods(cluster);
      }
      await clock.advance(50);
    },
    images: () => cluster.list(resources.pods).map((pod) => `${pod.metadata.name}=${pod.spec.containers[0]?.image}`),
  };
}

describe('stateful set controller', () => {
  test('creates pods in order with identity, revision and claims', async () => {
    const { cluster, clock, create, status, settle, stop, events } = setup();
    create({ volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] as never });
    await clock.advance(10);
    const [revision] = cluster.list(resources.controllerrevisions);
    const pods = cluster.list(resources.pods);
    expect(pods).toHaveLength(1);
    expect(pods[0]).toMatchObject({
      metadata: {
        name: 'db-0',
        generateName: 'db-',
        labels: {
          app: 'db',
          'apps.kubernetes.io/pod-index': '0',
          'controller-revision-hash': revision?.metadata.name,
          'statefulset.kubernetes.io/pod-name': 'db-0',
        },
      },
      spec: {
        hostname: 'db-0',
        subdomain: 'db',
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }],
      },
    });
    await settle();
    expect(status()).toEqual({
      observedGeneration: 1,
      replicas: 2,
      readyReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 2,
      currentRevision: revision?.metadata.name,
      updateRevision: revision?.metadata.name,
      collisionCount: 0,
      availableReplicas: 2,
    });
    expect(events()).toEqual([
      'SuccessfulCreate Create Claim data-db-0 Pod db-0 in StatefulSet db success',
      'SuccessfulCreate Create Pod db-0 in StatefulSet db successful',
      'SuccessfulCreate Create Claim data-db-1 Pod db-1 in StatefulSet db success',
      'SuccessfulCreate Create Pod db-1 in StatefulSet db successful',
    ]);
    const writes = cluster.actions.length;
    await clock.advance(600_000);
    expect(cluster.actions).toHaveLength(writes);
    await stop();
  });

  test('rolls to a new template and back without a third revision', async () => {
    const { cluster, create, edit, images, settle, status, stop } = setup();
    create();
    await settle();
    const image = (name: string) => (set: StatefulSet) => {
      set.spec.template.spec!.containers[0]!.image = name;
    };
    edit(image('b'));
    await settle();
    expect(images()).toEqual(['db-0=b', 'db-1=b']);
    expect(status()?.currentRevision).toBe(status()?.updateRevision);
    edit(image('a'));
    await settle();
    expect(images()).toEqual(['db-0=a', 'db-1=a']);
    expect(
      cluster
        .list(resources.controllerrevisions)
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([2, 3]);
    await stop();
  });

  test('a set that leaves its revisions to others makes no new one', async () => {
    const { cluster, clock, create, settle, stop } = setup();
    create({ replicas: 1 });
    await settle();
    const [revision] = cluster.list(resources.controllerrevisions);
    cluster.change(resources.statefulsets, key, ({ metadata }) => {
      metadata.finalizers = ['orphan'];
    });
    await cluster.client.delete(resources.statefulsets, key);
    cluster.change(resources.controllerrevisions, revision!.metadata, ({ metadata }) => {
      metadata.ownerReferences = [];
    });
    await clock.advance(50);
    expect(cluster.get(resources.statefulsets, key)?.metadata.deletionTimestamp).toBeDefined();
    expect(cluster.list(resources.controllerrevisions)).toHaveLength(1);
    await stop();
  });

  test('a set that goes after its revisions still says how many pods it has', async () => {
    const { cluster, clock, create, settle, stop } = setup();
    create({ replicas: 1 });
    await settle();
    const before = cluster.get(resources.statefulsets, key)?.status;
    expect(before?.replicas).toBe(1);
    cluster.change(resources.statefulsets, key, ({ metadata }) => {
      metadata.finalizers = ['foregroundDeletion'];
    });
    await cluster.client.delete(resources.statefulsets, key);
    await clock.advance(50);
    for (const { metadata } of cluster.list(resources.controllerrevisions))
      cluster.remove(resources.controllerrevisions, metadata);
    for (const { metadata } of cluster.list(resources.pods)) cluster.remove(resources.pods, metadata);
    await clock.advance(50);
    const { replicas, currentRevision } = cluster.get(resources.statefulsets, key)?.status ?? {};
    expect([replicas, currentRevision]).toEqual([0, before?.currentRevision]);
    expect(cluster.list(resources.controllerrevisions)).toEqual([]);
    await stop();
  });

  test('claims that are refused are told one by one and together', async () => {
    const { cluster, create, clock, events, stop } = setup();
    cluster.fail(
      ({ type, verb }) => verb === 'create' && type.resource === 'persistentvolumeclaims',
      new Error('no room'),
      9,
    );
    const template = (name: string) => ({ metadata: { name }, spec: {} });
    create({ replicas: 1, volumeClaimTemplates: [template('a'), template('b')] as never });
    await clock.advance(1);
    expect(events()).toEqual([
      'FailedCreate Create Claim a-db-0 for Pod db-0 in StatefulSet db failed error: no room',
      'FailedCreate Create Claim b-db-0 for Pod db-0 in StatefulSet db failed error: no room',
      'FailedCreate Create Pod db-0 in StatefulSet db failed error: [failed to create PVC a-db-0: no room, failed to create PVC b-db-0: no room]',
    ]);
    await stop();
  });

  test('keeps no more history than wanted', async () => {
    const { cluster, create, edit, settle, stop } = setup();
    create({ replicas: 1, revisionHistoryLimit: 1 });
    await settle();
    for (const image of ['b', 'c', 'd']) {
      edit((set) => {
        set.spec.template.spec!.containers[0]!.image = image;
      });
      await settle();
    }
    expect(cluster.list(resources.controllerrevisions)).toHaveLength(2);
    await stop();
  });

  test('claims go with the pod or the set where the policy says so', async () => {
    const { cluster, create, edit, settle, stop } = setup();
    create({
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] as never,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
    });
    await settle();
    const owners = (name: string) =>
      cluster
        .get(resources.persistentvolumeclaims, { namespace: 'n', name })
        ?.metadata.ownerReferences?.map((owner) => `${owner.kind}/${owner.name}`);
    expect([owners('data-db-0'), owners('data-db-1')]).toEqual([['StatefulSet/db'], ['StatefulSet/db']]);
    edit((set) => {
      set.spec.replicas = 1;
    });
    await settle();
    expect([owners('data-db-0'), owners('data-db-1')]).toEqual([['StatefulSet/db'], ['Pod/db-1']]);
    await stop();
  });
});
