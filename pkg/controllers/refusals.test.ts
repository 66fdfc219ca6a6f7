import { expect, test } from 'vitest';
import { newStatus, StatusError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { Component } from '../base/lifecycle.ts';
import { newCronJobController } from './cronjob/cronjob-controller.ts';
import { newDaemonSetController } from './daemonset/daemonset-controller.ts';
import { newDeploymentController } from './deployment/deployment-controller.ts';
import type { ControllerCommonDeps } from './deps.ts';
import { newEndpointsController } from './endpoints/endpoints-controller.ts';
import { newEndpointSliceController } from './endpointslice/endpointslice-controller.ts';
import { newJobController } from './job/job-controller.ts';
import { newReplicaSetController } from './replicaset/replicaset-controller.ts';
import { newReplicationController } from './replicationcontroller/replicationcontroller-controller.ts';
import { newStatefulSetController } from './statefulset/statefulset-controller.ts';
import { startControllers } from './testing.ts';

const labels = { app: 'a' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const named = { metadata: { namespace: 'n', name: 'w' } };
const selector = { matchLabels: labels };

type Add = (cluster: ReturnType<typeof startControllers>['cluster']) => void;
type Make = (deps: ControllerCommonDeps) => Component;

const addService: Add = (cluster) => {
  cluster.add(resources.services, {
    ...named,
    spec: { selector: labels, ports: [{ port: 80 }], ipFamilies: ['IPv4'], type: 'ClusterIP' },
  });
};

const workloads: readonly [string, Make, string, Add][] = [
  [
    'ReplicaSet',
    newReplicaSetController,
    'pods',
    (cluster) => cluster.add(resources.replicasets, { ...named, spec: { replicas: 3, selector, template } }),
  ],
  [
    'ReplicationController',
    newReplicationController,
    'pods',
    (cluster) =>
      cluster.add(resources.replicationcontrollers, { ...named, spec: { replicas: 3, selector: labels, template } }),
  ],
  [
    'StatefulSet',
    newStatefulSetController,
    'pods',
    (cluster) => cluster.add(resources.statefulsets, { ...named, spec: { replicas: 3, selector, template } }),
  ],
  [
    'DaemonSet',
    newDaemonSetController,
    'pods',
    (cluster) => {
      cluster.add(resources.nodes, { metadata: { name: 'x' }, spec: {}, status: {} });
      cluster.add(resources.daemonsets, {
        ...named,
        spec: { selector, template, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } },
      });
    },
  ],
  [
    'Job',
    newJobController,
    'pods',
    (cluster) =>
      cluster.add(resources.jobs, {
        ...named,
        spec: { parallelism: 3, completions: 3, backoffLimit: 6, selector, template, completionMode: 'NonIndexed' },
        status: {},
      }),
  ],
  [
    'Deployment',
    newDeploymentController,
    'replicasets',
    (cluster) =>
      cluster.add(resources.deployments, {
        ...named,
        spec: {
          replicas: 3,
          selector,
          template,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        },
      }),
  ],
  [
    'CronJob',
    newCronJobController,
    'jobs',
    (cluster) =>
      cluster.add(resources.cronjobs, {
        ...named,
        spec: { schedule: '* * * * *', concurrencyPolicy: 'Allow', jobTemplate: { spec: { template } } },
        status: {},
      }),
  ],
  ['EndpointSlice', newEndpointSliceController, 'endpointslices', addService],
  ['Endpoints', newEndpointsController, 'endpoints', addService],
];

/** Five minutes of back-off that doubles from milliseconds: a try at each step, and each try may write a little more than one thing. */
const MOST_WRITES = 120;

/** The same where not even the revision of the template is let through. */
const revised = workloads
  .filter(([name]) => name === 'StatefulSet' || name === 'DaemonSet')
  .map(([name, make, , add]): (typeof workloads)[number] => [`${name}'s revision`, make, 'controllerrevisions', add]);

test.each([...workloads, ...revised])(
  '%s: what a quota or a webhook refuses is told, and tried with back-off',
  async (_, make, resource, add) => {
    const { cluster, clock, events, stop } = startControllers((deps) => [make(deps)]);
    let tries = 0;
    const refusal = new StatusError(newStatus(403, 'Forbidden', 'exceeded quota: q'));
    cluster.fail(
      ({ verb, type }) => verb === 'create' && type.resource === resource && ++tries > 0,
      refusal,
      Number.POSITIVE_INFINITY,
    );
    add(cluster);
    for (let i = 0; i < 300; i++) await clock.advance(1000);
    const others = cluster.actions.filter((action) => action.resource !== 'events');
    expect(events().some((text) => text.includes('exceeded quota: q'))).toBe(true);
    expect(tries).toBeGreaterThan(1);
    expect(tries + others.length).toBeLessThan(MOST_WRITES);
    await stop();
  },
);
