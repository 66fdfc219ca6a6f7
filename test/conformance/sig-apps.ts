import type { SigCoverage } from './coverage.ts';

export const sigApps: SigCoverage = {
  sig: 'sig-apps',
  cases: {
    'ControllerRevision should manage the lifecycle of a ControllerRevision': [
      'test/e2e/workload-objects.test.ts > ControllerRevisions of a DaemonSet: made and changed by hand beside its own',
    ],
    'CronJob should not schedule jobs when suspended': ['test/behaviour/data/jobs-cronjobs.json > cronjob-suspended'],
    'CronJob should not schedule new jobs when ForbidConcurrent': [
      'pkg/controllers/cronjob/cronjob-controller.test.ts > Forbid',
    ],
    'CronJob should replace jobs when ReplaceConcurrent': ['test/behaviour/data/jobs-cronjobs.json > cronjob-replace'],
    'CronJob should schedule multiple jobs concurrently': [
      'pkg/controllers/cronjob/cronjob-controller.test.ts > Allow',
    ],
    'CronJob should support CronJob API operations': [
      'test/e2e/workload-objects.test.ts > a CronJob: watched, patched, updated, its status, deleted',
      'test/e2e/workload-objects.test.ts > are listed by label in all namespaces, patched, and deleted as a collection',
    ],
    'Daemon set should list and delete a collection of DaemonSets': [
      'test/e2e/workload-objects.test.ts > are listed by label in all namespaces, patched, and deleted as a collection',
    ],
    'Daemon set should retry creating failed daemon pods': [
      'test/behaviour/data/statefulsets-daemonsets.json > ds-failed-pod',
    ],
    'Daemon set should rollback without unnecessary restarts': [
      'test/e2e/workload-objects.test.ts > a DaemonSet: deleted and failed pods come back, and good pods outlive a rollback',
      'pkg/controllers/daemonset/daemonset-controller.test.ts > a rolling update replaces one node at a time and can be undone',
    ],
    'Daemon set should run and stop complex daemon': [
      'test/behaviour/data/statefulsets-daemonsets.json > ds-node-selector',
    ],
    'Daemon set should run and stop simple daemon': [
      'test/behaviour/data/statefulsets-daemonsets.json > ds-create',
      'test/e2e/workload-objects.test.ts > a DaemonSet: deleted and failed pods come back, and good pods outlive a rollback',
    ],
    'Daemon set should update pod when spec was updated and update strategy is RollingUpdate': [
      'test/behaviour/data/statefulsets-daemonsets.json > ds-rolling-update',
    ],
    'Daemon set should verify changes to a daemon set status': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched, and stays beside its controller',
    ],
    'Deployment Deployment should have a working scale subresource': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched',
    ],
    'Deployment RecreateDeployment should delete old pods and create new ones': [
      'test/behaviour/data/deployments.json > recreate',
    ],
    'Deployment RollingUpdateDeployment should delete old pods and create new ones': [
      'test/behaviour/data/deployments.json > rollback',
      'test/e2e/workloads.test.ts > a rolling update loses no request, and is undone',
    ],
    'Deployment deployment should delete old replica sets': [
      'test/e2e/workload-objects.test.ts > a Deployment: changed before it is done, and few old ReplicaSets are kept',
    ],
    'Deployment deployment should support proportional scaling': [
      'test/behaviour/data/deployments.json > scale-during-stuck-rollout',
    ],
    'Deployment deployment should support rollover': [
      'test/e2e/workload-objects.test.ts > a Deployment: changed before it is done, and few old ReplicaSets are kept',
    ],
    'Deployment should run the lifecycle of a Deployment': [
      'test/behaviour/data/deployments.json > scale-up-down',
      'test/e2e/workload-objects.test.ts > is read, updated and patched, and stays beside its controller',
      'test/e2e/workload-objects.test.ts > a Deployment: changed before it is done, and few old ReplicaSets are kept',
    ],
    'Deployment should validate Deployment Status endpoints': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched, and stays beside its controller',
    ],
    'DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets':
      [
        'test/e2e/workload-objects.test.ts > are listed by label in all namespaces, patched, and deleted as a collection',
      ],
    'DisruptionController should block an eviction until the PDB is updated to allow it': [
      'test/e2e/workload-objects.test.ts > a PodDisruptionBudget: changed, its status, and what it lets go',
    ],
    'DisruptionController should create a PodDisruptionBudget': [
      'test/e2e/workload-objects.test.ts > a PodDisruptionBudget: changed, its status, and what it lets go',
    ],
    'DisruptionController should observe PodDisruptionBudget status updated': [
      'test/behaviour/data/cluster.json > pdb-status',
    ],
    'DisruptionController should update/patch PodDisruptionBudget status': [
      'test/e2e/workload-objects.test.ts > a PodDisruptionBudget: changed, its status, and what it lets go',
    ],
    'Job should adopt matching orphans and release non-matching pods': [
      'test/e2e/workload-objects.test.ts > a Job adopts its orphans, and releases pods that match no more',
    ],
    'Job should apply changes to a job status': [
      'test/e2e/workload-objects.test.ts > a Job: suspended, patched, replaced, its status, deleted as a collection',
    ],
    'Job should create pods for an Indexed job with completion indexes and specified hostname': [
      'test/behaviour/data/jobs-cronjobs.json > indexed',
      'test/e2e/batch.test.ts > an indexed job tells each pod its index',
    ],
    'Job should delete a job': [
      'test/behaviour/data/jobs-cronjobs.json > delete-running',
      'test/e2e/workload-objects.test.ts > a Job adopts its orphans, and releases pods that match no more',
    ],
    'Job should manage the lifecycle of a job': [
      'test/e2e/workload-objects.test.ts > a Job: suspended, patched, replaced, its status, deleted as a collection',
    ],
    'Job should run a job to completion when tasks sometimes fail and are locally restarted': [
      'test/e2e/workload-objects.test.ts > a Job whose containers fail once completes where they are',
    ],
    'ReplicaSet Replace and Patch tests': [
      'test/e2e/workload-objects.test.ts > a ReplicaSet is scaled by an update, and patched',
    ],
    'ReplicaSet Replicaset should have a working scale subresource': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched',
    ],
    'ReplicaSet should adopt matching pods on creation and release no longer matching pods': [
      'test/e2e/workload-objects.test.ts > adopt pods, and release them',
    ],
    'ReplicaSet should list and delete a collection of ReplicaSets': [
      'test/e2e/workload-objects.test.ts > are listed by label in all namespaces, patched, and deleted as a collection',
    ],
    'ReplicaSet should serve a basic image on each replica with a public image': [
      'test/e2e/workload-objects.test.ts > pods of $resource answer',
    ],
    'ReplicaSet should validate Replicaset Status endpoints': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched, and stays beside its controller',
    ],
    'ReplicationController should adopt matching pods on creation': [
      'test/e2e/workload-objects.test.ts > adopt pods, and release them',
    ],
    'ReplicationController should get and update a ReplicationController scale': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched',
    ],
    'ReplicationController should release no longer matching pods': [
      'test/e2e/workload-objects.test.ts > adopt pods, and release them',
    ],
    'ReplicationController should serve a basic image on each replica with a public image': [
      'test/e2e/workload-objects.test.ts > pods of $resource answer',
    ],
    'ReplicationController should surface a failure condition on a common issue like exceeded quota': [
      'test/e2e/workload-objects.test.ts > a ReplicationController: its life, and why it has too few pods',
    ],
    'ReplicationController should test the lifecycle of a ReplicationController': [
      'test/e2e/workload-objects.test.ts > a ReplicationController: its life, and why it has too few pods',
    ],
    'StatefulSet Basic StatefulSet functionality Burst scaling should run to completion even with unhealthy pods': [
      'test/behaviour/data/statefulsets-daemonsets.json > sts-parallel',
      'pkg/controllers/statefulset/plan.test.ts > parallel: all',
      'pkg/controllers/statefulset/plan.test.ts > parallel: all beyond go',
    ],
    'StatefulSet Basic StatefulSet functionality Scaling should happen in predictable order and halt if any stateful pod is unhealthy':
      [
        'test/behaviour/data/statefulsets-daemonsets.json > sts-create-ordered',
        'test/behaviour/data/statefulsets-daemonsets.json > sts-scale',
        'pkg/controllers/statefulset/plan.test.ts > ordered: waits for the first',
        'pkg/controllers/statefulset/plan.test.ts > ordered: none goes while another is sick',
      ],
    'StatefulSet Basic StatefulSet functionality Should recreate evicted statefulset': [
      'test/e2e/workload-objects.test.ts > a StatefulSet whose pod the node refuses makes it anew until it fits',
    ],
    'StatefulSet Basic StatefulSet functionality should have a working scale subresource': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched',
    ],
    'StatefulSet Basic StatefulSet functionality should list, patch and delete a collection of StatefulSets': [
      'test/e2e/workload-objects.test.ts > are listed by label in all namespaces, patched, and deleted as a collection',
    ],
    'StatefulSet Basic StatefulSet functionality should perform canary updates and phased rolling updates of template modifications':
      [
        'test/behaviour/data/statefulsets-daemonsets.json > sts-partition',
        'pkg/controllers/statefulset/plan.test.ts > below the partition the old revision comes back',
      ],
    'StatefulSet Basic StatefulSet functionality should perform rolling updates and roll backs of template modifications':
      [
        'test/behaviour/data/statefulsets-daemonsets.json > sts-rolling-update',
        'test/e2e/stateful.test.ts > it rolls out from the highest ordinal, is undone, and scales in order',
      ],
    'StatefulSet Basic StatefulSet functionality should validate Statefulset Status endpoints': [
      'test/e2e/workload-objects.test.ts > is read, updated and patched, and stays beside its controller',
    ],
  },
};
