/** Scenarios that go another way here, and why: `area/name`, then what differs (the start of a finding's `what`). */
export const knownDifferences: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map<
  string,
  Readonly<Record<string, string>>
>([
  ...['sts-rolling-update', 'sts-partition', 'sts-broken-rollout', 'sts-on-delete'].map(
    (name) =>
      [
        `statefulsets-daemonsets/${name}`,
        {
          'events of statefulset-controller on StatefulSet/db':
            'since v1.31 pods that end while they are being deleted are not deleted again and again, with events until no more are taken',
        },
      ] as const,
  ),
  [
    'cluster/namespace-delete',
    {
      'Namespace/<namespace> condition NamespaceContentRemaining':
        'since v1.34 the pods of a namespace are gone before anything else is deleted',
    },
  ],
  [
    'replicasets/adopt-too-many',
    Object.fromEntries(['a', 'b', 'x'].map((name) => [`object Pod/${name}`, 'chance: their uids decide which goes'])),
  ],
  [
    'cluster/node-cordon-uncordon',
    {
      'events of default-scheduler on Pod/p':
        'chance: whether its back-off is over before the second node takes pods again, or not until then',
    },
  ],
  [
    'statefulsets-daemonsets/sts-claims',
    { 'events of default-scheduler on Pod/db-1': "chance: whether a claim is bound before its pod's turn comes" },
  ],
  [
    'statefulsets-daemonsets/sts-pod-deleted',
    { 'StatefulSet/db replicas': 'chance: whether its last pod or itself goes first' },
  ],
  [
    'deployments/rollout-maxsurge-0',
    Object.fromEntries(
      ['updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas'].map((field) => [
        `Deployment/web ${field}`,
        'chance: the recording ends within its rollout',
      ]),
    ),
  ],
  [
    'replicasets/adopt-too-many',
    Object.fromEntries(
      [
        ...['a', 'b', 'x'].map((name) => `events of kubelet on Pod/${name}`),
        'events of replicaset-controller on ReplicaSet/r',
      ].map((what) => [what, 'chance: which of pods that became ready in the same second goes']),
    ),
  ],
  [
    'jobs-cronjobs/cronjob-one-run',
    { 'object Job/cj-<minute-2>': 'the kubectl that makes it does not block the deletion of its owner any more' },
  ],
  [
    'jobs-cronjobs/cronjob-suspended',
    Object.fromEntries(
      [
        'events of cronjob-controller on CronJob/cj',
        'events of job-controller on Job/cj-<minute>',
        'CronJob/cj active',
        'CronJob/cj lastSuccessfulTime',
      ].map((what) => [what, 'chance: the recording ends before its job does']),
    ),
  ],
  [
    'cluster/node-not-ready',
    {
      'events of taint-eviction-controller on Pod/r-<suffix>':
        'chance: whether a pod is bound while one of the two taints is still there',
    },
  ],
  ...['active-deadline', 'fail-backoff-limit-onfailure'].map(
    (name) =>
      [
        `jobs-cronjobs/${name}`,
        {
          'Job/j ready': 'since v1.31 pods that are being deleted do not count as ready',
          'object Job/j': 'since v1.31 pods that are being deleted do not count as ready',
          'events of kubelet on Pod/j-<suffix>':
            'chance: whether the kubelet sees a run end before the deletion of its pod',
        },
      ] as const,
  ),
  [
    'replicasets/scale-down-prefers-unready',
    { 'events of kubelet on Pod/r-<suffix>': 'a probe that ran while its container was stopped; ours end with it' },
  ],
  [
    'pods-config/envfrom-invalid-keys',
    { 'events of kubelet on Pod/p': 'since v1.34 every printable ASCII name but with "=" is a valid variable name' },
  ],
  [
    'pods-lifecycle/init-restartpolicy-always-dropped',
    {
      'Pod/p container side': 'sidecar containers are on since v1.29',
      'object Pod/p': 'sidecar containers are on since v1.29',
    },
  ],
  [
    'scheduling/resources-too-big',
    Object.fromEntries(
      ['cpu', 'mem', 'both', 'ext'].flatMap((name) =>
        [`events of default-scheduler on Pod/${name}`, `Pod/${name} condition PodScheduled`].map((what) => [
          what,
          'since v1.31 what is larger than a whole node is known to be helped by no preemption',
        ]),
      ),
    ),
  ],
  [
    'scheduling/preemption',
    {
      'events of default-scheduler on Pod/high':
        'by its hints a pod that preempts is not tried again before its victims are gone',
      'Pod/high condition PodScheduled':
        'by its hints a pod that preempts is not tried again before its victims are gone',
    },
  ],
  [
    'pods-lifecycle/image-missing',
    { 'Pod/p container main': 'since v1.32 the reason why the last pull failed follows the back-off' },
  ],
]);
