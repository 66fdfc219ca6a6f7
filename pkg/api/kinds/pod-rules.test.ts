import { describe, expect, it } from 'vitest';
import type { Pod } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { podStrategy } from './pod.ts';
import { validateResize } from './pod-resize.ts';
import { create, update, warningsOf } from './testing.ts';

const main = { name: 'main', image: 'a:1' };
const pod = (spec: object = {}, container: object = {}, metadata: object = {}): Record<string, unknown> => ({
  metadata,
  spec: { containers: [{ ...main, ...container }], ...spec },
});
const security = 'spec.securityContext';
const own = 'spec.containers[0].securityContext';
const affinity = 'spec.affinity';

describe('rules of pods', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['pull secrets without a name', pod({ imagePullSecrets: [{}] }), []],
    [
      'host aliases',
      pod({ hostAliases: [{ ip: 'x', hostnames: ['ok', 'B_'] }] }),
      ['spec.hostAliases[0].ip Invalid', 'spec.hostAliases[0].hostnames[1] Invalid'],
    ],
    [
      'host users',
      pod({ hostUsers: false, hostPID: true, hostNetwork: true }),
      ['spec.hostNetwork Forbidden', 'spec.HostPID Forbidden'],
    ],
    [
      'hostname override',
      pod({ hostnameOverride: 'a'.repeat(65), setHostnameAsFQDN: true }),
      ['spec.hostnameOverride TooLong', 'spec.hostnameOverride Forbidden'],
    ],
    [
      'sleep',
      pod({ terminationGracePeriodSeconds: 5 }, { lifecycle: { preStop: { sleep: { seconds: 6 } } } }),
      ['spec.containers[0].lifecycle.preStop.sleep Invalid'],
    ],
    ['no sleep at all', pod({}, { lifecycle: { preStop: { sleep: { seconds: 0 } } } }), []],
    [
      'seccomp profile of the wrong type',
      pod({ securityContext: { seccompProfile: { type: 'RuntimeDefault', localhostProfile: 'p' } } }),
      [`${security}.seccompProfile.localhostProfile Invalid`],
    ],
    [
      'seccomp profile outside',
      pod({}, { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: '/p' } } }),
      [`${own}.seccompProfile.localhostProfile Invalid`],
    ],
    [
      'AppArmor with blanks',
      pod({}, { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: ' p' } } }),
      [`${own}.appArmorProfile.localhostProfile Invalid`],
    ],
    [
      'AppArmor of no type',
      pod({ securityContext: { appArmorProfile: {} } }),
      [`${security}.appArmorProfile.type Required`],
    ],
    [
      'group policies',
      pod({ securityContext: { fsGroupChangePolicy: 'x', supplementalGroupsPolicy: 'y', seLinuxChangePolicy: 'z' } }),
      [
        `${security}.fsGroupChangePolicy NotSupported`,
        `${security}.supplementalGroupsPolicy NotSupported`,
        `${security}.seLinuxChangePolicy NotSupported`,
      ],
    ],
    [
      'Windows user',
      pod({ securityContext: { windowsOptions: { runAsUserName: 'a\\b\\c' } } }),
      [`${security}.windowsOptions.runAsUserName Invalid`],
    ],
    [
      'Windows domain',
      pod({ securityContext: { windowsOptions: { runAsUserName: '.x\\' } } }),
      [`${security}.windowsOptions.runAsUserName Invalid`, `${security}.windowsOptions.runAsUserName Invalid`],
    ],
    [
      'GMSA',
      pod({ securityContext: { windowsOptions: { gmsaCredentialSpecName: 'A', gmsaCredentialSpec: '' } } }),
      [
        `${security}.windowsOptions.gmsaCredentialSpecName Invalid`,
        `${security}.windowsOptions.gmsaCredentialSpec Invalid`,
      ],
    ],
    [
      'host process',
      pod(
        { securityContext: { windowsOptions: { hostProcess: true } } },
        { securityContext: { windowsOptions: { hostProcess: false } } },
      ),
      [`${own}.windowsOptions.hostProcess Invalid`],
    ],
    [
      'host process without the network',
      pod({ securityContext: { windowsOptions: { hostProcess: true } } }),
      ['spec.hostNetwork Invalid'],
    ],
    [
      'Windows',
      pod(
        { os: { name: 'windows' }, hostPID: true, shareProcessNamespace: true },
        { securityContext: { privileged: true } },
      ),
      [
        'spec.hostPID Forbidden',
        'spec.shareProcessNamespace Forbidden',
        `${own}.privileged Forbidden`,
        `${security}.shareProcessNamespace Invalid`,
      ].sort(byOrder),
    ],
    [
      'spread over any key',
      pod({
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'a b', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 0 },
        ],
      }),
      ['spec.topologySpreadConstraints[0].minDomains Invalid', 'spec.topologySpreadConstraints[0].minDomains Invalid'],
    ],
    [
      'spread twice by the same key',
      pod({
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
          { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      }),
      ['spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable} Duplicate'],
    ],
    [
      'spread keys without a selector',
      pod({
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', matchLabelKeys: ['a'] },
        ],
      }),
      ['spec.topologySpreadConstraints[0].matchLabelKeys Forbidden'],
    ],
    [
      'spread keys in the selector',
      pod(
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'z',
              whenUnsatisfiable: 'DoNotSchedule',
              matchLabelKeys: ['a'],
              labelSelector: { matchLabels: { a: 'b' } },
            },
          ],
        },
        {},
        { labels: { a: 'b' } },
      ),
      ['spec.topologySpreadConstraints[0][0] Invalid'],
    ],
    [
      'affinity without a topology',
      pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ namespaces: ['A'] }] } } }),
      [
        `${affinity}.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace Invalid`,
        `${affinity}.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey Required`,
        `${affinity}.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey Invalid`,
        `${affinity}.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey Invalid`,
      ],
    ],
    [
      'label keys for and against',
      pod({
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'z', labelSelector: {}, matchLabelKeys: ['a'], mismatchLabelKeys: ['a'] },
            ],
          },
        },
      }),
      [`${affinity}.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0] Invalid`],
    ],
    [
      'preferred values of any form',
      pod({
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b c'] }] } },
            ],
          },
        },
      }),
      [],
    ],
    [
      'huge pages',
      pod({}, { resources: { limits: { 'hugepages-2Mi': '3Mi', memory: '1Gi' } } }),
      [
        'spec.containers[0].resources.limits[hugepages-2Mi] Invalid',
        'spec.containers[0].resources.requests[hugepages-2Mi] Invalid',
      ],
    ],
    [
      'resource claims',
      pod(
        { resourceClaims: [{ name: 'a', resourceClaimName: 'x' }] },
        { resources: { claims: [{ name: 'a' }, { name: 'a' }, { name: 'b', request: 'R' }] } },
      ),
      [
        'spec.containers[0].resources.claims[1] Duplicate',
        'spec.containers[0].resources.claims[2].request Invalid',
        'spec.containers[0].resources.claims[2] NotFound',
      ],
    ],
    [
      'claim of two kinds',
      pod({ resourceClaims: [{ name: 'a', resourceClaimName: 'A', resourceClaimTemplateName: 'x' }] }),
      ['spec.resourceClaims[0] Invalid', 'spec.resourceClaims[0].resourceClaimName Invalid'],
    ],
    [
      'less for the pod than for its containers',
      pod(
        { resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } } },
        { resources: { requests: { cpu: '2' }, limits: { memory: '2Gi' } } },
      ),
      [
        'spec.resources.requests[cpu] Invalid',
        'spec.resources.requests Invalid',
        'spec.resources.containers[0][memory].limits Invalid',
      ],
    ],
    [
      'resize policy of pods that never restart',
      pod({ restartPolicy: 'Never' }, { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }),
      ['spec.containers[0].resizePolicy Invalid'],
    ],
    [
      'restart rules without a policy',
      pod({ initContainers: [{ name: 'i', image: 'a', restartPolicyRules: [{}] }] }, { restartPolicyRules: [{}] }),
      [
        'spec.containers[0].restartPolicy Required',
        'spec.containers[0].restartPolicyRules[0].action NotSupported',
        'spec.containers[0].restartPolicyRules[0].exitCodes Required',
        'spec.initContainers[0].restartPolicy Required',
      ],
    ],
    [
      'restart rules',
      pod(
        {},
        { restartPolicy: '', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'Odd', values: [] } }] },
      ),
      [
        'spec.containers[0].restartPolicy NotSupported',
        'spec.containers[0].restartPolicyRules[0].exitCodes.operator NotSupported',
      ],
    ],
    [
      'resize policy of a step',
      pod({
        initContainers: [
          { name: 'i', image: 'a', resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
        ],
      }),
      ['spec.initContainers[0].resizePolicy[0].restartPolicy Invalid'],
    ],
    [
      'variables from files',
      pod(
        { volumes: [{ name: 'v', secret: { secretName: 's' } }] },
        {
          env: [
            { name: 'A', valueFrom: { fileKeyRef: { key: 'k', volumeName: 'v', path: 'p' } } },
            { name: 'B', valueFrom: { fileKeyRef: { key: 'k', volumeName: 'w', path: 'a/../b' } } },
          ],
        },
      ),
      [
        'spec.containers[0].env[1].valueFrom.fileKeyRef.path Invalid',
        'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName Invalid',
        'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName NotFound',
      ],
    ],
    [
      'devices without names',
      pod({ hostUsers: false }, { volumeDevices: [{}, {}] }),
      [
        ...[0, 1].flatMap((i) => [
          `spec.containers[0].volumeDevices[${i}].name Required`,
          `spec.containers[0].volumeDevices[${i}].name NotFound`,
          `spec.containers[0].volumeDevices[${i}].devicePath Required`,
        ]),
        'spec.containers[0].volumeDevices[1].devicePath Invalid',
        'spec.containers[0].volumeDevices Forbidden',
      ],
    ],
    [
      'empty modes of mounts',
      pod(
        { volumes: [{ name: 'v', emptyDir: {} }] },
        { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: '', recursiveReadOnly: '' }] },
      ),
      [
        'spec.containers[0].volumeMounts.mountPropagation NotSupported',
        'spec.containers[0].volumeMounts.recursiveReadOnly NotSupported',
      ],
    ],
    [
      'huge pages of the pod from its containers',
      pod(
        { resources: { limits: { cpu: '1' } } },
        { resources: { limits: { cpu: '1', 'hugepages-2Mi': '2Mi' }, requests: { cpu: '1', 'hugepages-2Mi': '2Mi' } } },
      ),
      [],
    ],
    ['claims of the pod as a whole', pod({ resources: { claims: [] } }), ['spec.resources.claims Forbidden']],
    [
      'labels of mounts by a feature that is off',
      pod({ securityContext: { seLinuxChangePolicy: 'MountOption' } }),
      [`${security}.seLinuxChangePolicy NotSupported`],
    ],
    ['image with blanks', pod({}, { image: ' a' }), ['spec.containers[0].image Invalid']],
    [
      'deletion cost',
      pod({}, {}, { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '+1' } }),
      ['metadata.annotations[controller.kubernetes.io/pod-deletion-cost] Invalid'],
    ],
    [
      'seccomp annotation',
      pod({}, {}, { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x' } }),
      ['metadata.annotations.seccomp.security.alpha.kubernetes.io/pod Invalid'],
    ],
    [
      'AppArmor annotation',
      pod({}, {}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/other': 'x' } }),
      [
        'metadata.annotations[container.apparmor.security.beta.kubernetes.io/other] Invalid',
        'metadata.annotations[container.apparmor.security.beta.kubernetes.io/other] Invalid',
      ],
    ],
    [
      'annotation against field',
      pod(
        { securityContext: { seccompProfile: { type: 'Unconfined' } } },
        {},
        { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default' } },
      ),
      [`${security}.seccompProfile.type Forbidden`],
    ],
  ];

  it.each(cases)('%s', (_name, body, errors) => {
    expect(create('/Pod', body).errors.sort(byOrder)).toEqual([...errors].sort(byOrder));
  });
});

/** Upstream walks over maps: the order is not part of the rule. */
function byOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

describe('what a new pod gets', () => {
  it('adds the values of label keys to selectors', () => {
    const term = { topologyKey: 'z', labelSelector: {}, matchLabelKeys: ['a'], mismatchLabelKeys: ['b', 'none'] };
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    const { object } = create('/Pod', pod({ affinity }, {}, { labels: { a: '1', b: '2' } }));
    const spec = (object as unknown as Pod).spec;
    const terms = spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    expect(terms?.[0]?.labelSelector?.matchExpressions).toEqual([
      { key: 'a', operator: 'In', values: ['1'] },
      { key: 'b', operator: 'NotIn', values: ['2'] },
    ]);
  });

  it('takes AppArmor annotations for fields', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/main': 'localhost/p' };
    const { object, errors } = create('/Pod', pod({}, {}, { annotations }));
    const profile = (object as unknown as Pod).spec.containers[0]?.securityContext?.appArmorProfile;
    expect([profile, errors]).toEqual([{ type: 'Localhost', localhostProfile: 'p' }, []]);
  });

  it('takes requests of the pod from its containers and limits', () => {
    const resources = { limits: { cpu: '2', memory: '1Gi' } };
    const { object } = create('/Pod', pod({ resources }, { resources: { requests: { cpu: '500m' } } }));
    expect((object as unknown as Pod).spec.resources?.requests).toEqual({ cpu: '500m', memory: '1Gi' });
  });
});

describe('changes of pods', () => {
  const specOf = (object: KubeObject): Pod['spec'] => (object as unknown as Pod).spec;

  it('refuses another deadline and goes on', () => {
    const change = (object: KubeObject) =>
      Object.assign(specOf(object), { activeDeadlineSeconds: undefined, nodeName: 'n' });
    const { errors } = update('/Pod', pod({ activeDeadlineSeconds: 5 }), change);
    expect(errors).toEqual(['spec.activeDeadlineSeconds Invalid', 'spec Forbidden']);
  });

  it('lets gated pods only add to what they require of nodes', () => {
    const require_ = (...values: string[]) => ({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: values.map((key) => ({ key, operator: 'Exists' })) }],
        },
      },
    });
    const gated = pod({ schedulingGates: [{ name: 'g' }], affinity: require_('a') });
    const change = (...values: string[]) =>
      update('/Pod', gated, (object) => Object.assign(specOf(object), { affinity: require_(...values) })).errors;
    expect(change('a', 'b')).toEqual([]);
    expect(change('b', 'a')).toEqual([
      `${affinity}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0] Invalid`,
    ]);
  });

  it('keeps mirror annotations', () => {
    const mirror = pod({ nodeName: 'n' }, {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } });
    const { errors } = update('/Pod', mirror, (object) => delete object.metadata.annotations);
    expect(errors).toEqual(['metadata.annotations[kubernetes.io/config.mirror] Forbidden']);
  });

  it('changes no labels with ephemeral containers', () => {
    const { object } = update(
      '/Pod',
      pod(),
      (next) => Object.assign(next.metadata, { labels: { a: 'b' } }),
      'ephemeralcontainers',
    );
    expect(object.metadata.labels).toBeUndefined();
  });

  const small = pod({}, { resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } } });
  const resizes: [string, (spec: Pod['spec']) => unknown, string[]][] = [
    ['more CPU', (spec) => Object.assign(spec.containers[0]!.resources!.requests!, { cpu: '2' }), []],
    [
      'other resources',
      (spec) => Object.assign(spec.containers[0]!.resources!.requests!, { 'ephemeral-storage': '1' }),
      ['spec Forbidden'],
    ],
    [
      'the policy',
      (spec) =>
        Object.assign(spec.containers[0]!, { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }),
      ['spec Forbidden'],
    ],
    [
      'no limit any more',
      (spec) => Object.assign(spec.containers[0]!.resources!, { limits: {} }),
      ['spec.containers[0].resources.limits Forbidden'],
    ],
    ['another image', (spec) => Object.assign(spec.containers[0]!, { image: 'b' }), []],
    ['one more container', (spec) => spec.containers.push({ ...main, name: 'b' }), ['spec.containers Forbidden']],
    [
      'another name, and nothing after that',
      (spec) => Object.assign(spec.containers[0]!, { name: 'b', image: 'b', resources: { requests: { cpu: '2' } } }),
      ['spec.containers[0].name Forbidden'],
    ],
    [
      'an init container',
      (spec) => Object.assign(spec, { initContainers: [{ ...main, name: 'b' }] }),
      ['spec.initContainers Forbidden'],
    ],
  ];

  it.each(resizes)('resizes: %s', (_name, change, errors) => {
    expect(update('/Pod', small, (object) => change(specOf(object)), 'resize').errors).toEqual(errors);
  });

  it.each([
    [{}, ['Forbidden: Pod running on node without support for resize']],
    [{ resources: {} }, []],
  ])('resizes only where a running container tells what it has got: %j', (told, errors) => {
    const containerStatuses = [{ name: 'main', state: { running: {} }, ...told }];
    const running = { ...small, status: { containerStatuses } } as unknown as Pod;
    const found = validateResize(running, running, []);
    expect(found.map(({ message }) => message)).toEqual(errors);
  });

  it('resizes no container with claims', () => {
    const claimed = structuredClone(small) as unknown as Pod;
    Object.assign(claimed.spec.containers[0]?.resources ?? {}, { claims: [{ name: 'c' }] });
    expect(validateResize(claimed, claimed, []).map(({ field }) => field)).toEqual(['spec']);
  });
});

describe('status of pods', () => {
  const cases: [string, object, string[]][] = [
    ['a condition', { conditions: [{ type: 'a b', status: 'True' }] }, ['status.conditions[0].Type Invalid']],
    ['a nominated node', { nominatedNodeName: 'A_' }, ['status.nominatedNodeName Invalid']],
    ['another class', { qosClass: 'Burstable' }, ['status.qosClass Invalid']],
    ['addresses', { podIP: '1.2.3.4', podIPs: [{ ip: '1.2.3.4' }, { ip: '1.2.3.4' }] }, ['status.podIPs Invalid']],
    [
      'an address that is none',
      { podIPs: [{ ip: '1.2.3.4' }, { ip: 'x' }] },
      ['status.podIPs[1] Invalid', 'status.podIPs InternalError', 'status.podIPs Invalid'],
    ],
    [
      'generations below zero',
      { observedGeneration: -1, conditions: [{ type: 'Ready', status: 'True', observedGeneration: -1 }] },
      ['status.conditions[0].observedGeneration Invalid', 'status.observedGeneration Invalid'],
    ],
    ['host addresses', { hostIP: '1.2.3.4', hostIPs: [{ ip: '1.2.3.5' }] }, ['status.hostIPs[0].ip Invalid']],
    ['claims', { resourceClaimStatuses: [{ name: 'x' }] }, ['status.resourceClaimStatuses[0].name Invalid']],
    [
      'claims of no name',
      { resourceClaimStatuses: [{ name: 'x', resourceClaimName: 'A_' }] },
      ['status.resourceClaimStatuses[0].name Invalid', 'status.resourceClaimStatuses[0].resourceClaimName Invalid'],
    ],
    [
      'users',
      { containerStatuses: [{ name: 'main', user: { linux: { uid: -1, gid: 0 } } }] },
      ['status.containerStatuses[0].user.linux.uid Invalid'],
    ],
    [
      'devices',
      {
        containerStatuses: [
          {
            name: 'main',
            allocatedResourcesStatus: [{ name: 'a.b/c', resources: [{ resourceID: 'r', health: 'Odd' }] }],
          },
        ],
      },
      [
        'status.containerStatuses[0].allocatedResourcesStatus[0].name Invalid',
        'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health NotSupported',
      ],
    ],
  ];

  it.each(cases)('%s', (_name, status, errors) => {
    const change = (object: KubeObject) => Object.assign(object.status as object, status);
    expect(update('/Pod', pod(), change, 'status').errors).toEqual(errors);
  });
});

describe('warnings about pods', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['none', pod(), []],
    [
      'name',
      pod({}, {}, { name: 'a.b' }),
      [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
      ],
    ],
    [
      'node labels',
      pod({ nodeSelector: { 'node-role.kubernetes.io/master': '' } }),
      ['spec.nodeSelector[node-role.kubernetes.io/master]: use "node-role.kubernetes.io/control-plane" instead'],
    ],
    [
      'annotations',
      pod({}, {}, { annotations: { 'scheduler.alpha.kubernetes.io/critical-pod': '' } }),
      [
        'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
      ],
    ],
    [
      'seccomp',
      pod({}, {}, { annotations: { 'container.seccomp.security.alpha.kubernetes.io/main': 'unconfined' } }),
      [
        'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/main]: non-functional in v1.27+; use the "seccompProfile" field instead',
      ],
    ],
    [
      'plugins',
      pod({ volumes: [{ name: 'v', cephfs: { monitors: ['a'] } }] }),
      ['spec.volumes[0].cephfs: deprecated in v1.28, non-functional in v1.31+'],
    ],
    [
      'host aliases',
      pod({ hostAliases: [{ ip: '1.2.3.4' }, { ip: '1.2.3.4' }] }),
      ['spec.hostAliases[1].ip: duplicate ip "1.2.3.4"'],
    ],
    [
      'pull secrets',
      pod({ imagePullSecrets: [{ name: '' }] }),
      ['spec.imagePullSecrets[0].name: invalid empty name ""'],
    ],
    [
      'own value',
      pod(
        {},
        {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '$(A)2' },
            { name: 'A', value: '$(A)' },
          ],
        },
      ),
      ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply'],
    ],
    [
      'ports',
      pod(
        {},
        {
          ports: [{ containerPort: 80 }, { containerPort: 80, hostPort: 81 }, { containerPort: 80, hostIP: '1.2.3.4' }],
        },
      ),
      [
        'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
        'spec.containers[0].ports[2]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}',
        'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]',
        'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]',
      ],
    ],
    [
      'anti-affinity',
      pod({
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z' }] } },
      }),
      [
        'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
      ],
    ],
    [
      'token paths',
      pod({
        serviceAccountName: 'a',
        volumes: [
          {
            name: 'v',
            projected: {
              sources: [
                { serviceAccountToken: { path: 't' } },
                { secret: { name: 's', items: [{ key: 'k', path: 't' }] } },
              ],
            },
          },
        ],
      }),
      ['spec.volumes[0].projected.sources.secrets[0]: has duplicated path with ServiceAccountToken "t"'],
    ],
  ];

  it.each(cases)('%s', (_name, body, warnings) => {
    expect(warningsOf('/Pod', body)).toEqual(warnings);
  });

  it('are not given about updates', () => {
    const { object } = create('/Pod', pod({ imagePullSecrets: [{}] }));
    expect(podStrategy.warnings?.(object, object)).toEqual([]);
  });
});
