import { expect, test } from 'vitest';
import { type ClaimView, planClaim } from './claim-plan.ts';
import type { Claim, Class, Volume } from './claims-and-volumes.ts';

interface Edits {
  readonly annotations?: Record<string, string>;
  readonly spec?: object;
  readonly uid?: string;
}

function claim({ annotations, spec = {}, uid = 'u' }: Edits = {}): Claim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: 'n', name: 'c', uid, ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 's',
      ...spec,
    },
  } as unknown as Claim;
}

function volume(name: string, spec: object = {}, more: object = {}): Volume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, storageClassName: 's', ...spec },
    status: { phase: 'Available' },
    ...more,
  } as unknown as Volume;
}

function view(volumes: readonly Volume[], more: Partial<ClaimView> & { classes?: readonly object[] } = {}): ClaimView {
  const { classes = [], ...rest } = more;
  return {
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    volumes: () => volumes,
    storageClass: (name) => (classes as Class[]).find(({ metadata }) => metadata.name === name),
    defaultClass: () => undefined,
    waitingPods: () => [],
    ...rest,
  };
}

const waits = { metadata: { name: 's' }, provisioner: 'example.com/p', volumeBindingMode: 'WaitForFirstConsumer' };
const atOnce = { metadata: { name: 's' }, provisioner: 'example.com/p', volumeBindingMode: 'Immediate' };
const inTree = { metadata: { name: 's' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'Immediate' };
const ref = (uid?: string, name = 'c') => ({
  claimRef: { namespace: 'n', name, ...(uid === undefined ? {} : { uid }) },
});
const completed = { 'pv.kubernetes.io/bind-completed': 'yes' };

test.each<[string, Claim, ClaimView, string]>([
  [
    'the smallest that is large enough',
    claim(),
    view([volume('big', { capacity: { storage: '5Gi' } }), volume('a')]),
    'bind a',
  ],
  [
    'fewer modes before smaller',
    claim(),
    view([
      volume('modes', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }),
      volume('big', { capacity: { storage: '5Gi' } }),
    ]),
    'bind big',
  ],
  [
    'a reserved one first',
    claim(),
    view([volume('a'), volume('r', { capacity: { storage: '9Gi' }, ...ref() })]),
    'bind r',
  ],
  [
    'reserved for an earlier claim',
    claim(),
    view([volume('r', ref('old'))], { classes: [atOnce] }),
    'provision example.com/p',
  ],
  [
    'too small',
    claim(),
    view([volume('a', { capacity: { storage: '1Mi' } })]),
    'ProvisioningFailed storageclass.storage.k8s.io "s" not found',
  ],
  [
    'another mode',
    claim({ spec: { volumeMode: 'Block' } }),
    view([volume('a')], { classes: [atOnce] }),
    'provision example.com/p',
  ],
  [
    'a selector',
    claim({ spec: { selector: { matchLabels: { a: 'b' } } } }),
    view([volume('a')], { classes: [atOnce] }),
    'provision example.com/p',
  ],
  [
    'not available',
    claim(),
    view([volume('a', {}, { status: { phase: 'Released' } })], { classes: [atOnce] }),
    'provision example.com/p',
  ],
  [
    'being deleted',
    claim(),
    view([volume('a', {}, { metadata: { name: 'a', deletionTimestamp: 'x' } })], { classes: [inTree] }),
    'ProvisioningFailed no volume plugin matched name: kubernetes.io/no-provisioner',
  ],
  [
    'no class at all',
    claim({ spec: { storageClassName: '' } }),
    view([]),
    'FailedBinding no persistent volumes available for this claim and no storage class is set',
  ],
  [
    'the default class, late',
    claim({ spec: { storageClassName: undefined } }),
    view([], { defaultClass: () => 'd' }),
    'set-class d',
  ],
  [
    'an empty class is no missing one',
    claim({ spec: { storageClassName: '' } }),
    view([], { defaultClass: () => 'd' }),
    'FailedBinding no persistent volumes available for this claim and no storage class is set',
  ],
  [
    'waits for a pod',
    claim(),
    view([volume('a')], { classes: [waits] }),
    'WaitForFirstConsumer waiting for first consumer to be created before binding',
  ],
  [
    'waits for a pod to be scheduled',
    claim(),
    view([], { classes: [waits], waitingPods: () => ['p'] }),
    'WaitForPodScheduled waiting for pod p to be scheduled',
  ],
  [
    'waits for pods to be scheduled',
    claim(),
    view([], { classes: [waits], waitingPods: () => ['p', 'q'] }),
    'WaitForPodScheduled waiting for pods p,q to be scheduled',
  ],
  [
    'the scheduler has chosen a node',
    claim({ annotations: { 'volume.kubernetes.io/selected-node': 'x' } }),
    view([], { classes: [waits] }),
    'provision example.com/p',
  ],
  ['the scheduler has reserved a volume', claim(), view([volume('a', ref('u'))], { classes: [waits] }), 'bind a'],
  [
    'a migrated provisioner',
    claim(),
    view([], { classes: [{ ...atOnce, provisioner: 'kubernetes.io/aws-ebs' }] }),
    'provision ebs.csi.aws.com',
  ],
  ['a named volume', claim({ spec: { volumeName: 'a' } }), view([volume('a')]), 'bind a'],
  ['a named volume that is missing', claim({ spec: { volumeName: 'a' } }), view([]), 'wait'],
  [
    'a named volume that is too small',
    claim({ spec: { volumeName: 'a', resources: { requests: { storage: '2Gi' } } } }),
    view([volume('a')]),
    'VolumeMismatch Cannot bind to requested volume "a": requested PV is too small',
  ],
  [
    'a named volume of another class',
    claim({ spec: { volumeName: 'a', storageClassName: 't' } }),
    view([volume('a')]),
    'VolumeMismatch Cannot bind to requested volume "a": storageClassName does not match',
  ],
  [
    'a named volume of another mode',
    claim({ spec: { volumeName: 'a', volumeMode: 'Block' } }),
    view([volume('a')]),
    'VolumeMismatch Cannot bind to requested volume "a": incompatible volumeMode',
  ],
  [
    'a named volume with other access',
    claim({ spec: { volumeName: 'a', accessModes: ['ReadWriteMany'] } }),
    view([volume('a')]),
    'VolumeMismatch Cannot bind to requested volume "a": incompatible accessMode',
  ],
  [
    'a named volume of somebody else',
    claim({ spec: { volumeName: 'a' } }),
    view([volume('a', ref('x', 'd'))]),
    'FailedBinding volume "a" already bound to a different claim.',
  ],
  [
    'a binding without its mark',
    claim({ spec: { volumeName: 'a' }, annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } }),
    view([volume('a', ref('x', 'd'))]),
    'invalid binding of claim "n/c" to volume "a": volume already claimed by "n/d"',
  ],
  ['bound', claim({ spec: { volumeName: 'a' }, annotations: completed }), view([volume('a', ref('u'))]), 'bind a'],
  ['bound to what is gone', claim({ spec: { volumeName: 'a' }, annotations: completed }), view([]), 'lost ClaimLost'],
  ['bound to nothing', claim({ annotations: completed }), view([]), 'lost ClaimLost'],
  [
    'bound to what another has',
    claim({ spec: { volumeName: 'a' }, annotations: completed }),
    view([volume('a', ref('x'))]),
    'lost ClaimMisbound',
  ],
])('%s', (_, subject, given, expected) => {
  const plan = planClaim(subject, given);
  const said = {
    bind: () => (plan.kind === 'bind' ? `bind ${plan.volume.metadata.name}` : ''),
    'set-class': () => (plan.kind === 'set-class' ? `set-class ${plan.className}` : ''),
    provision: () => (plan.kind === 'provision' ? `provision ${plan.provisioner}` : ''),
    wait: () => (plan.kind === 'wait' && plan.event ? `${plan.event.reason} ${plan.event.message}` : 'wait'),
    lost: () => (plan.kind === 'lost' ? `lost ${plan.event.reason}` : ''),
    invalid: () => (plan.kind === 'invalid' ? plan.message : ''),
  };
  expect(said[plan.kind]()).toBe(expected);
});
