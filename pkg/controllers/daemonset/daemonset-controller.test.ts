import { describe, expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import type { DaemonSet, Node, Pod } from '../../api/generated/types.ts';
import { runPods, startControllers } from '../testing.ts';
import { newDaemonSetController } from './daemonset-controller.ts';
import { pinnedTo, targetNode } from './placement.ts';

const key = { namespace: 'n', name: 'agent' };

function setup(nodes = ['n1', 'n2']) {
  const started = startControllers((deps) => [newDaemonSetController(deps)]);
  const { cluster, clock } = started;
  for (const name of nodes) cluster.add(resources.nodes, { metadata: { name, labels: {} }, spec: {} });
  return {
    ...started,
    create: (spec: Partial<DaemonSet['spec']> = {}) =>
      cluster.add(resources.daemonsets, {
        metadata: { ...key, annotations: { 'deprecated.daemonset.template.generation': '1' } },
        spec: {
          selector: { matchLabels: { app: 'agent' } },
          template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'main', image: 'a' }] } },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
          revisionHistoryLimit: 10,
          ...spec,
        },
        status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
      }),
    image: (image: string) =>
      cluster.change<DaemonSet>(resources.daemonsets, key, (set) => {
        set.metadata.generation = (set.metadata.generation ?? 0) + 1;
        const count = Number(set.metadata.annotations!['deprecated.daemonset.template.generation']) + 1;
        set.metadata.annotations!['deprecated.daemonset.template.generation'] = String(count);
        set.spec.template.spec!.containers[0]!.image = image;
      }),
    status: () => cluster.get(resources.daemonsets, key)?.status,
    /** `node=image`, a star for pods that are being deleted. */
    pods: () =>
      cluster
        .list(resources.pods)
        .map((pod) => `${targetNode(pod)}=${pod.spec.containers[0]?.image}${pod.metadata.deletionTimestamp ? '*' : ''}`)
        .sort(),
    /** One second with working kubelets. */
    tick: async (isBroken: (pod: Pod) => boolean = () => false) => {
      for (const pod of cluster.list(resources.pods)) {
        if (pod.metadata.deletionTimestamp !== undefined) {
          cluster.remove(resources.pods, pod.metadata);
        } else {
          cluster.change<Pod>(resources.pods, pod.metadata, (draft) => {
            draft.spec.nodeName = targetNode(pod)!;
          });
        }
      }
      runPods(cluster, clock, isBroken);
      await clock.advance(1000);
    },
  };
}

describe('daemon set controller', () => {
  test('one pod per node, pinned, tolerant, and counted', async () => {
    const { cluster, clock, create, status, pods, tick, stop, events } = setup();
    create();
    await clock.advance(10);
    expect(pods()).toEqual(['n1=a', 'n2=a']);
    const [revision] = cluster.list(resources.controllerrevisions);
    const hash = revision?.metadata.labels?.['controller-revision-hash'];
    expect(revision).toMatchObject({ revision: 1, metadata: { name: `agent-${hash}` } });
    expect(cluster.list(resources.pods)[0]?.metadata.labels).toEqual({
      app: 'agent',
      'controller-revision-hash': hash,
      'pod-template-generation': '1',
    });
    expect(cluster.list(resources.pods)[0]?.spec.tolerations).toHaveLength(6);
    expect(status()).toEqual({
      currentNumberScheduled: 2,
      desiredNumberScheduled: 2,
      numberMisscheduled: 0,
      numberReady: 0,
      numberUnavailable: 2,
      observedGeneration: 1,
      updatedNumberScheduled: 2,
    });
    await tick();
    expect(status()).toMatchObject({ numberReady: 2, numberAvailable: 2 });
    expect(status()).not.toHaveProperty('numberUnavailable');
    expect(events('DaemonSet')).toHaveLength(2);
    const writes = cluster.actions.length;
    await clock.advance(600_000);
    expect(cluster.actions).toHaveLength(writes);
    await stop();
  });

  test('a revision that somebody makes is left alone until the set changes, and its number counts', async () => {
    const { cluster, clock, create, image, tick, stop } = setup(['n1']);
    create();
    await clock.advance(10);
    await tick();
    const [first] = cluster.list(resources.controllerrevisions);
    const { name: _, resourceVersion: __, uid: ___, ...metadata } = first!.metadata;
    cluster.add(resources.controllerrevisions, { ...first!, metadata: { ...metadata, name: 'copy' }, revision: 2 });
    await clock.advance(1000);
    expect(cluster.list(resources.controllerrevisions)).toHaveLength(2);
    cluster.remove(resources.controllerrevisions, first!.metadata);
    await clock.advance(1000);
    expect(cluster.list(resources.controllerrevisions)).toHaveLength(1);
    image('b');
    await clock.advance(10);
    expect(
      cluster
        .list(resources.controllerrevisions)
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([2, 3]);
    await stop();
  });

  test('nodes come, go, and are tainted', async () => {
    const { cluster, clock, create, status, pods, tick, stop } = setup(['n1']);
    create();
    await clock.advance(10);
    await tick();
    cluster.add(resources.nodes, { metadata: { name: 'n3', labels: {} }, spec: {} });
    await clock.advance(10);
    expect(pods()).toEqual(['n1=a', 'n3=a']);
    const taint = (effect: string) =>
      cluster.change<Node>(resources.nodes, { name: 'n1' }, (node) => {
        node.spec = { taints: [{ key: 'k', effect }] };
      });
    taint('NoSchedule');
    await clock.advance(10);
    expect(pods()).toEqual(['n1=a', 'n3=a']);
    expect(status()).toMatchObject({ numberMisscheduled: 1, desiredNumberScheduled: 1 });
    taint('NoExecute');
    await clock.advance(10);
    expect(pods()).toEqual(['n1=a*', 'n3=a']);
    await stop();
  });

  test('a rolling update replaces one node at a time and can be undone', async () => {
    const { cluster, clock, create, image, pods, tick, stop } = setup();
    create();
    await clock.advance(10);
    await tick();
    image('b');
    await clock.advance(10);
    expect(pods().filter((pod) => pod.endsWith('*'))).toHaveLength(1);
    await tick();
    await tick();
    await tick();
    await tick();
    expect(pods()).toEqual(['n1=b', 'n2=b']);
    image('a');
    for (let i = 0; i < 5; i++) await tick();
    expect(pods()).toEqual(['n1=a', 'n2=a']);
    expect(
      cluster
        .list(resources.controllerrevisions)
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([2, 3]);
    await stop();
  });

  test('surging brings the new pod first', async () => {
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const { clock, create, image, pods, tick, stop } = setup();
    create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } });
    await clock.advance(10);
    await tick();
    image('b');
    await clock.advance(10);
    expect(pods()).toHaveLength(3);
    expect(pods().filter((pod) => pod.endsWith('a'))).toHaveLength(2);
    for (let i = 0; i < 6; i++) await tick();
    expect(pods()).toEqual(['n1=b', 'n2=b']);
    await stop();
  });

  test('surging goes on when a new pod has been ready for long enough', async () => {
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const { cluster, clock, create, events, image, pods, tick, stop } = setup(['n1']);
    create({ minReadySeconds: 2, updateStrategy: { type: 'RollingUpdate', rollingUpdate } });
    await clock.advance(10);
    await tick();
    await clock.advance(3000);
    image('b');
    await clock.advance(10);
    await tick();
    expect(pods()).toHaveLength(2);
    await clock.advance(3000);
    await tick();
    expect(pods()).toEqual(['n1=b']);
    const deleted = cluster.actions.filter(({ verb, resource }) => verb === 'delete' && resource === 'pods');
    expect(deleted.map(({ name }) => name)).toEqual([...new Set(deleted.map(({ name }) => name))]);
    expect(events().filter((text) => text.startsWith('SuccessfulDelete'))).toHaveLength(1);
    await stop();
  });

  test('a failed pod is replaced, with back-off', async () => {
    const { cluster, clock, create, events, tick, stop } = setup(['n1']);
    create();
    await clock.advance(10);
    const failAll = () => {
      for (const { metadata } of cluster.list(resources.pods)) {
        cluster.change<Pod>(resources.pods, metadata, (pod) => {
          pod.status = { phase: 'Failed' };
        });
      }
    };
    await tick();
    failAll();
    await clock.advance(10);
    const [pod] = cluster.list(resources.pods);
    expect(events('DaemonSet')).toContain(
      `FailedDaemonPod Found failed daemon pod n/${pod?.metadata.name} on node n1, will try to kill it`,
    );
    cluster.remove(resources.pods, pod!.metadata);
    await clock.advance(10);
    failAll();
    await clock.advance(500);
    expect(events('DaemonSet').filter((text) => text.startsWith('FailedDaemonPod'))).toHaveLength(1);
    await clock.advance(600);
    expect(events('DaemonSet').filter((text) => text.startsWith('FailedDaemonPod'))).toHaveLength(2);
    await stop();
  });

  test('a selector for all pods is refused', async () => {
    const { clock, create, events, pods, stop } = setup();
    create({ selector: {} });
    await clock.advance(10);
    expect(pods()).toEqual([]);
    expect(events()).toEqual(['SelectingAll This daemon set is selecting all pods. A non-empty selector is required.']);
    await stop();
  });

  test('pinning keeps preferences', () => {
    const preferredDuringSchedulingIgnoredDuringExecution = [{ weight: 1, preference: {} }];
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution };
    const pinned = pinnedTo({ spec: { containers: [], affinity: { nodeAffinity } } } as never, 'n1');
    expect(pinned.spec?.affinity?.nodeAffinity).toEqual({
      preferredDuringSchedulingIgnoredDuringExecution,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
      },
    });
  });
});
