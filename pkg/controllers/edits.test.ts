import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { Component } from '../base/lifecycle.ts';
import { newDaemonSetController } from './daemonset/daemonset-controller.ts';
import { newDeploymentController } from './deployment/deployment-controller.ts';
import type { ControllerCommonDeps } from './deps.ts';
import { newDisruptionController } from './disruption/disruption-controller.ts';
import { newEndpointsController } from './endpoints/endpoints-controller.ts';
import { newEndpointSliceController } from './endpointslice/endpointslice-controller.ts';
import { newReplicaSetController } from './replicaset/replicaset-controller.ts';
import { newStatefulSetController } from './statefulset/statefulset-controller.ts';
import { runPods, startControllers } from './testing.ts';

type Cluster = ReturnType<typeof startControllers>['cluster'];

/** Somebody who changes what a controller has written. */
interface Edit {
  readonly controllers: readonly ((deps: ControllerCommonDeps) => Component)[];
  readonly add: (cluster: Cluster) => void;
  readonly edit: (cluster: Cluster) => void;
  /** Writes that put one edit right. */
  readonly writes: number;
}

const labels = { app: 'w' };
const selector = { matchLabels: labels };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const key = { namespace: 'n', name: 'w' };

const addSet = (cluster: Cluster): void => {
  cluster.add(resources.replicasets, { metadata: key, spec: { replicas: 2, selector, template }, status: {} });
};
const addService = (cluster: Cluster): void => {
  const spec = { selector: labels, ports: [{ port: 80 }], ipFamilies: ['IPv4'], type: 'ClusterIP' };
  cluster.add(resources.services, { metadata: key, spec });
};

const edits: Readonly<Record<string, Edit>> = {
  'the size of a ReplicaSet that a Deployment owns': {
    controllers: [newDeploymentController],
    add: (cluster) => {
      const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
      cluster.add(resources.deployments, { metadata: key, spec: { replicas: 2, selector, template, strategy } });
    },
    edit: (cluster) => {
      const [set] = cluster.list(resources.replicasets);
      if (set === undefined) return;
      cluster.change(resources.replicasets, set.metadata, ({ spec }) => {
        spec.replicas = 5;
      });
    },
    writes: 1,
  },
  'the status of a ReplicaSet': {
    controllers: [newReplicaSetController],
    add: addSet,
    edit: (cluster) => {
      cluster.change(resources.replicasets, key, (set) => {
        set.status = { replicas: 7 };
      });
    },
    writes: 1,
  },
  'the labels of a pod': {
    controllers: [newReplicaSetController],
    add: addSet,
    edit: (cluster) => {
      const owned = cluster.list(resources.pods).find(({ metadata }) => metadata.labels?.['app'] === 'w');
      if (owned === undefined) return;
      cluster.change(resources.pods, owned.metadata, ({ metadata }) => {
        metadata.labels = {};
      });
    },
    // The pod is let go and another made; the status tells of the loss, of the new pod, and of its being ready.
    writes: 5,
  },
  'the status of a StatefulSet': {
    controllers: [newStatefulSetController],
    add: (cluster) => {
      cluster.add(resources.statefulsets, { metadata: key, spec: { replicas: 1, selector, template }, status: {} });
    },
    edit: (cluster) => {
      cluster.change(resources.statefulsets, key, ({ status }) => {
        if (status !== undefined) status.replicas = 7;
      });
    },
    writes: 1,
  },
  'the status of a DaemonSet': {
    controllers: [newDaemonSetController],
    add: (cluster) => {
      cluster.add(resources.nodes, { metadata: { name: 'n1' }, spec: {}, status: {} });
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } };
      cluster.add(resources.daemonsets, { metadata: key, spec: { selector, template, updateStrategy }, status: {} });
    },
    edit: (cluster) => {
      cluster.change(resources.daemonsets, key, ({ status }) => {
        if (status !== undefined) status.numberReady = 7;
      });
    },
    writes: 1,
  },
  'the Endpoints of a Service': {
    controllers: [newEndpointsController],
    add: addService,
    edit: (cluster) => {
      cluster.change(resources.endpoints, key, (endpoints) => {
        endpoints.subsets = [{ addresses: [{ ip: '192.0.2.1' }] }];
      });
    },
    writes: 1,
  },
  'the EndpointSlice of a Service': {
    controllers: [newEndpointSliceController],
    add: addService,
    edit: (cluster) => {
      const [slice] = cluster.list(resources.endpointslices);
      if (slice === undefined) return;
      cluster.change(resources.endpointslices, slice.metadata, (changed) => {
        changed.endpoints = [{ addresses: ['192.0.2.1'] }];
      });
    },
    writes: 1,
  },
  'the status of a PodDisruptionBudget': {
    controllers: [newReplicaSetController, newDisruptionController],
    add: (cluster) => {
      addSet(cluster);
      cluster.add(resources.poddisruptionbudgets, { metadata: key, spec: { minAvailable: 1, selector }, status: {} });
    },
    edit: (cluster) => {
      cluster.change(resources.poddisruptionbudgets, key, ({ status }) => {
        if (status !== undefined) status.disruptionsAllowed = 7;
      });
    },
    writes: 1,
  },
};

const TIMES = 5;

test.each(Object.entries(edits))('%s: an edit is put right once', async (_, { controllers, add, edit, writes }) => {
  const { cluster, clock, stop } = startControllers((deps) => controllers.map((make) => make(deps)));
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 30; i++) {
      await clock.advance(1000);
      runPods(cluster, clock);
    }
  };
  const count = (): number => cluster.actions.filter(({ resource }) => resource !== 'events').length;
  add(cluster);
  await settle();
  const before = count();
  for (let i = 0; i < TIMES; i++) {
    edit(cluster);
    await settle();
  }
  const made = count() - before;
  expect(made).toBeGreaterThanOrEqual(TIMES);
  expect(made).toBeLessThanOrEqual(TIMES * writes);
  await settle();
  expect(count() - before).toBe(made);
  await stop();
});
