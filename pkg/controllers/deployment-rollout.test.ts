import { describe, expect, test } from 'vitest';
import { forbidden } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Deployment } from '../api/generated/types.ts';
import { newDeploymentController } from './deployment/deployment-controller.ts';
import { newReplicaSetController } from './replicaset/replicaset-controller.ts';
import { finishPods, runPods, startControllers } from './testing.ts';

const key = { namespace: 'n', name: 'web' };

function setup() {
  const started = startControllers((deps) => [newReplicaSetController(deps), newDeploymentController(deps)]);
  const { cluster, clock } = started;
  return {
    ...started,
    create: (spec: Partial<Deployment['spec']> = {}) =>
      cluster.add(resources.deployments, {
        metadata: key,
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'web' } },
          template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'a' }] } },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
          revisionHistoryLimit: 10,
          progressDeadlineSeconds: 600,
          ...spec,
        },
        status: {},
      }),
    edit: (change: (deployment: Deployment) => void) =>
      cluster.change<Deployment>(resources.deployments, key, (deployment) => {
        deployment.metadata.generation = (deployment.metadata.generation ?? 0) + 1;
        change(deployment);
      }),
    image: (name: string) => (deployment: Deployment) => {
      deployment.spec.template.spec!.containers[0]!.image = name;
    },
    status: () => cluster.get(resources.deployments, key)?.status,
    conditions: () =>
      (cluster.get(resources.deployments, key)?.status?.conditions ?? []).map(
        ({ type, status, reason }) => `${type}=${status}/${reason}`,
      ),
    sizes: () =>
      Object.fromEntries(
        cluster
          .list(resources.replicasets)
          .map((set) => [set.metadata.annotations?.['deployment.kubernetes.io/revision'], set.spec.replicas]),
      ),
    /** Lets time pass with working kubelets. */
    settle: async () => {
      for (let i = 0; i < 20; i++) {
        await clock.advance(50);
        runPods(cluster, clock);
        finishPods(cluster);
      }
    },
  };
}

describe('deployment controller', () => {
  test('what a resumed Deployment creates is not told in its conditions', async () => {
    const { cluster, clock, create, edit, stop } = setup();
    await clock.advance(0);
    create({ paused: true });
    await clock.advance(10);
    edit((deployment) => {
      delete deployment.spec.paused;
    });
    await clock.advance(10);
    expect(cluster.list(resources.replicasets)).toHaveLength(1);
    const written = cluster.actions
      .filter(({ resource, subresource }) => resource === 'deployments' && subresource === 'status')
      .map(({ body }) => (body as Deployment).status?.conditions?.find(({ type }) => type === 'Progressing')?.reason);
    expect(written).toContain('DeploymentResumed');
    expect(written).not.toContain('NewReplicaSetCreated');
    await stop();
  });

  test('creates a ReplicaSet and follows its progress', async () => {
    const { cluster, clock, create, conditions, status, settle, stop, events } = setup();
    await clock.advance(0);
    create();
    await clock.advance(10);
    const [set] = cluster.list(resources.replicasets);
    const hash = set?.metadata.labels?.['pod-template-hash'];
    expect(set).toMatchObject({
      metadata: {
        name: `web-${hash}`,
        labels: { app: 'web', 'pod-template-hash': hash },
        annotations: {
          'deployment.kubernetes.io/desired-replicas': '3',
          'deployment.kubernetes.io/max-replicas': '4',
          'deployment.kubernetes.io/revision': '1',
        },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true }],
      },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } },
        template: { metadata: { labels: { app: 'web', 'pod-template-hash': hash } } },
      },
    });
    expect(conditions()).toEqual(['Available=False/MinimumReplicasUnavailable', 'Progressing=True/ReplicaSetUpdated']);
    expect(status()).toMatchObject({ replicas: 3, updatedReplicas: 3, unavailableReplicas: 3, observedGeneration: 1 });
    await settle();
    expect(conditions()).toEqual([
      'Available=True/MinimumReplicasAvailable',
      'Progressing=True/NewReplicaSetAvailable',
    ]);
    expect(status()).toEqual(expect.not.objectContaining({ unavailableReplicas: expect.anything() }));
    expect(events('Deployment')).toEqual([`ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`]);
    expect(events('ReplicaSet')).toHaveLength(3);
    const writes = cluster.actions.length;
    await clock.advance(60_000);
    expect(cluster.actions).toHaveLength(writes);
    await stop();
  });

  test('rolls out step by step, back again, and keeps revisions', async () => {
    const { cluster, clock, create, edit, image, sizes, settle, stop, events } = setup();
    await clock.advance(0);
    create();
    await settle();
    edit(image('b'));
    await clock.advance(20);
    expect(sizes()).toEqual({ 1: 3, 2: 1 });
    await settle();
    expect(sizes()).toEqual({ 1: 0, 2: 3 });
    expect(
      events('Deployment')
        .slice(1)
        .map((text) => text.replace(/set \S+ /, '')),
    ).toEqual([
      'ScalingReplicaSet Scaled up replica from 0 to 1',
      'ScalingReplicaSet Scaled down replica from 3 to 2',
      'ScalingReplicaSet Scaled up replica from 1 to 2',
      'ScalingReplicaSet Scaled down replica from 2 to 1',
      'ScalingReplicaSet Scaled up replica from 2 to 3',
      'ScalingReplicaSet Scaled down replica from 1 to 0',
    ]);
    edit(image('a'));
    await settle();
    expect(sizes()).toEqual({ 2: 0, 3: 3 });
    const newest = cluster.list(resources.replicasets).find((set) => set.spec.replicas === 3);
    expect(newest?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    expect(cluster.get(resources.deployments, key)?.metadata.annotations).toEqual({
      'deployment.kubernetes.io/revision': '3',
    });
    await stop();
  });

  test('scales in proportion while a rollout is stuck, then times out', async () => {
    const { cluster, clock, create, edit, image, sizes, settle, conditions, stop } = setup();
    await clock.advance(0);
    create({
      replicas: 4,
      progressDeadlineSeconds: 5,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } },
    });
    await settle();
    edit(image('broken'));
    for (let i = 0; i < 10; i++) {
      await clock.advance(50);
      runPods(cluster, clock, (pod) => pod.spec.containers[0]?.image === 'broken');
      finishPods(cluster);
    }
    expect(sizes()).toEqual({ 1: 3, 2: 3 });
    edit((deployment) => {
      deployment.spec.replicas = 8;
    });
    await clock.advance(50);
    expect(sizes()).toEqual({ 1: 5, 2: 5 });
    await clock.advance(7000);
    expect(conditions()).toContain('Progressing=False/ProgressDeadlineExceeded');
    await stop();
  });

  test('Recreate waits until the old pods are gone', async () => {
    const { cluster, clock, create, edit, image, sizes, settle, stop } = setup();
    await clock.advance(0);
    create({ strategy: { type: 'Recreate' } });
    await settle();
    edit(image('b'));
    await clock.advance(1000);
    expect(sizes()).toEqual({ 1: 0 });
    finishPods(cluster);
    await clock.advance(50);
    expect(sizes()).toEqual({ 1: 0, 2: 3 });
    await stop();
  });

  test('paused: no rollout, but scaling; conditions say so', async () => {
    const { clock, create, edit, image, sizes, settle, conditions, stop } = setup();
    await clock.advance(0);
    create();
    await settle();
    edit((deployment) => {
      deployment.spec.paused = true;
      deployment.spec.replicas = 5;
      image('b')(deployment);
    });
    await settle();
    expect(sizes()).toEqual({ 1: 5 });
    expect(conditions()).toEqual(['Progressing=Unknown/DeploymentPaused', 'Available=True/MinimumReplicasAvailable']);
    edit((deployment) => {
      deployment.spec.paused = false;
    });
    await settle();
    expect(sizes()).toEqual({ 1: 0, 2: 5 });
    expect(conditions()[1]).toBe('Progressing=True/NewReplicaSetAvailable');
    await stop();
  });

  test('keeps only as much history as wanted; adopts orphans; reports refused pods', async () => {
    const { cluster, clock, create, edit, image, sizes, settle, conditions, stop, events } = setup();
    await clock.advance(0);
    create({ revisionHistoryLimit: 1 });
    await settle();
    for (const name of ['b', 'c', 'd']) {
      edit(image(name));
      await settle();
    }
    expect(sizes()).toEqual({ 3: 0, 4: 3 });
    const [pod] = cluster.list(resources.pods);
    const refusal = forbidden(resources.pods, 'web-x', 'exceeded quota: q');
    cluster.fail((request) => request.verb === 'create' && request.type.resource === 'pods', refusal, 3);
    cluster.remove(resources.pods, pod!.metadata);
    await clock.advance(2);
    expect(conditions()).toContain('ReplicaFailure=True/FailedCreate');
    expect(events('ReplicaSet')).toContain('FailedCreate Error creating: pods "web-x" is forbidden: exceeded quota: q');
    await settle();
    expect(conditions().toSorted()).toEqual([
      'Available=True/MinimumReplicasAvailable',
      'Progressing=True/NewReplicaSetAvailable',
    ]);
    cluster.change(resources.pods, cluster.list(resources.pods)[0]!.metadata, (object) => {
      delete object.metadata.ownerReferences;
    });
    await clock.advance(10);
    expect(cluster.list(resources.pods).every((object) => object.metadata.ownerReferences?.length === 1)).toBe(true);
    await stop();
  });
});
