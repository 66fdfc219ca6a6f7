import { describe, expect, it } from 'vitest';
import type { Pod } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { podStrategy } from './pod.ts';
import { create, newObject, update } from './testing.ts';

const main = { name: 'main', image: 'reg.test/app:1' };
const pod = (spec: object = {}, container: object = {}): Record<string, unknown> => ({
  spec: { containers: [{ ...main, ...container }], ...spec },
});
const specOf = (object: KubeObject): Pod['spec'] => (object as unknown as Pod).spec;

describe('defaults of pods', () => {
  it('fills in what is left out', () => {
    const { object } = create('/Pod', pod());
    expect(object.spec).toEqual({
      containers: [
        {
          ...main,
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    });
    expect(object.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  it.each([
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['reg.test:5000/app', 'Always'],
    ['app:1', 'IfNotPresent'],
    [`app@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
    ['Not An Image', 'IfNotPresent'],
  ])('pull policy of %s', (image, policy) => {
    expect(specOf(create('/Pod', pod({}, { image })).object).containers[0]?.imagePullPolicy).toBe(policy);
  });

  it('is idempotent and drops zero values of plain fields', () => {
    const { object } = create('/Pod', pod({ hostNetwork: false, nodeName: '', volumes: [] }, { env: [], tty: false }));
    const before = structuredClone(object);
    podStrategy.default?.(object);
    expect(object).toEqual(before);
    expect(object.spec).not.toHaveProperty('hostNetwork');
    expect(object.spec).not.toHaveProperty('volumes');
    expect(specOf(object).containers[0]).not.toHaveProperty('tty');
  });

  it('forgets annotations that were init containers', () => {
    const annotations = { 'pod.beta.kubernetes.io/init-containers': '[]', a: 'b' };
    expect(create('/Pod', { ...pod(), metadata: { annotations } }).object.metadata.annotations).toEqual({ a: 'b' });
    const template = { metadata: { annotations: { 'pod.alpha.kubernetes.io/init-container-statuses': '' } }, ...pod() };
    expect(create('/PodTemplate', { template }).object).toMatchObject({ template: { metadata: {} } });
  });

  it('takes requests from limits and host ports from the host network', () => {
    const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } };
    const { object } = create('/Pod', pod({ hostNetwork: true }, { resources, ports: [{ containerPort: 80 }] }));
    const container = specOf(object).containers[0];
    expect(container?.resources?.requests).toEqual({ cpu: '500m', memory: '1Gi' });
    expect(container?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
    expect(object.status).toMatchObject({ qosClass: 'Burstable' });
  });

  it('survives objects without anything', () => {
    expect(create('/Pod', {}).errors).toEqual(['spec.containers Required']);
  });

  it('marks gated pods', () => {
    const { object } = create('/Pod', pod({ schedulingGates: [{ name: 'a.b/c' }] }));
    expect(object.status).toMatchObject({ conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] });
  });
});

describe('validation of pods', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['valid', pod(), []],
    ['no name', pod({}, { name: '' }), ['spec.containers[0].name Required']],
    ['duplicate names', { spec: { containers: [main, main] } }, ['spec.containers[1].name Duplicate']],
    [
      'unknown volume',
      pod({}, { volumeMounts: [{ name: 'v', mountPath: '/x' }] }),
      ['spec.containers[0].volumeMounts[0].name NotFound'],
    ],
    [
      'two sources',
      pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
      ['spec.volumes[0].hostPath Forbidden'],
    ],
    [
      'request above limit',
      pod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1500m' } } }),
      ['spec.containers[0].resources.requests Invalid'],
    ],
    [
      'negative probe',
      pod({}, { livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: -1 } }),
      ['spec.containers[0].livenessProbe.periodSeconds Invalid'],
    ],
    ['probe without handler', pod({}, { readinessProbe: {} }), ['spec.containers[0].readinessProbe Required']],
    [
      'hook of an init container',
      pod({ initContainers: [{ ...main, name: 'i', livenessProbe: { exec: { command: ['x'] } } }] }),
      ['spec.initContainers[0].livenessProbe Forbidden'],
    ],
    [
      'sidecar with a probe',
      pod({
        initContainers: [{ ...main, name: 'i', restartPolicy: 'Always', livenessProbe: { exec: { command: ['x'] } } }],
      }),
      [],
    ],
    [
      'ephemeral container',
      pod({ ephemeralContainers: [{ ...main, name: 'e' }] }),
      ['spec.ephemeralContainers Forbidden'],
    ],
    ['toleration without key', pod({ tolerations: [{ value: 'b' }] }), ['spec.tolerations[0].operator Invalid']],
    [
      'host path upwards',
      pod({ volumes: [{ name: 'v', hostPath: { path: '/a/../b' } }] }),
      ['spec.volumes[0].hostPath.path Invalid'],
    ],
    [
      'field reference',
      pod({}, { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a']" } } }] }),
      [],
    ],
    [
      'unknown field',
      pod({}, { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nope' } } }] }),
      ['spec.containers[0].env[0].valueFrom.fieldRef.fieldPath Invalid'],
    ],
    ['gated and bound', pod({ nodeName: 'n', schedulingGates: [{ name: 'a' }] }), ['spec.nodeName Forbidden']],
  ];

  it.each(cases)('%s', (_name, body, errors) => {
    expect(create('/Pod', body).errors).toEqual(errors);
  });
});

describe('updates of pods', () => {
  const cases: [string, (spec: Pod['spec']) => void, string[]][] = [
    ['image', (spec) => Object.assign(spec.containers[0]!, { image: 'other' }), []],
    ['command', (spec) => Object.assign(spec.containers[0]!, { command: ['x'] }), ['spec Forbidden']],
    ['added container', (spec) => spec.containers.push({ ...main, name: 'b' }), ['spec.containers Forbidden']],
    ['added toleration', (spec) => Object.assign(spec, { tolerations: [{ key: 'a', operator: 'Exists' }] }), []],
    ['deadline set', (spec) => Object.assign(spec, { activeDeadlineSeconds: 5 }), []],
    ['node name', (spec) => Object.assign(spec, { nodeName: 'n' }), ['spec Forbidden']],
    [
      'new gate',
      (spec) => Object.assign(spec, { schedulingGates: [{ name: 'a' }] }),
      ['spec.schedulingGates[0].name Forbidden'],
    ],
  ];

  it.each(cases)('%s', (_name, change, errors) => {
    expect(update('/Pod', pod(), (object) => change(specOf(object))).errors).toEqual(errors);
  });

  it('lets gated pods narrow their nodes', () => {
    const gated = pod({ schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b' } });
    const add = update('/Pod', gated, (object) => Object.assign(specOf(object), { nodeSelector: { a: 'b', c: 'd' } }));
    expect(add.errors).toEqual([]);
    const change = update('/Pod', gated, (object) => Object.assign(specOf(object), { nodeSelector: { a: 'c' } }));
    expect(change.errors).toEqual(['spec.nodeSelector Invalid']);
  });

  it('adds ephemeral containers and nothing else', () => {
    const { object, errors } = update(
      '/Pod',
      pod(),
      (next) => Object.assign(specOf(next), { ephemeralContainers: [{ ...main, name: 'e' }], nodeName: 'n' }),
      'ephemeralcontainers',
    );
    expect(errors).toEqual([]);
    expect(specOf(object).ephemeralContainers).toHaveLength(1);
    expect(specOf(object).nodeName).toBeUndefined();
  });

  it('resizes CPU within the QoS class', () => {
    const small = pod({}, { resources: { requests: { cpu: '1' } } });
    const grow = (cpu: string | undefined) => (next: KubeObject) => {
      specOf(next).containers[0]!.resources = cpu === undefined ? {} : { requests: { cpu } };
    };
    expect(update('/Pod', small, grow('2'), 'resize').errors).toEqual([]);
    expect(update('/Pod', small, grow(undefined), 'resize').errors).toContain('spec Invalid');
  });
});

describe('graceful deletion of pods', () => {
  it.each([
    ['not scheduled', {}, {}, undefined, 0],
    ['its own period', { nodeName: 'n', terminationGracePeriodSeconds: 7 }, {}, undefined, 7],
    ['asked period', { nodeName: 'n', terminationGracePeriodSeconds: 7 }, {}, 3, 3],
    ['finished', { nodeName: 'n' }, { phase: 'Succeeded' }, 30, 0],
    ['negative', { nodeName: 'n', terminationGracePeriodSeconds: -5 }, {}, undefined, 1],
  ])('%s', (_name, spec, status, asked, seconds) => {
    expect(podStrategy.gracefulDelete?.(newObject('/Pod', { spec, status }), asked)).toBe(seconds);
  });
});
