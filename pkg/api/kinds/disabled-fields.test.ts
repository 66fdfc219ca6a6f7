import { describe, expect, it } from 'vitest';
import type { DeepReadonly, KubeObject } from '../object.ts';
import { strategies } from './index.ts';
import { newObject } from './testing.ts';

type Any = Record<string, never>;

/** The object without its fields of disabled features. */
function dropped(key: string, body: object, old?: object): Any {
  const object = newObject(key, body as Record<string, unknown>);
  const before = old === undefined ? undefined : newObject(key, old as Record<string, unknown>);
  strategies.get(key)?.dropDisabled?.(object, before as DeepReadonly<KubeObject> | undefined);
  return object as unknown as Any;
}

const group = { schedulingGroup: { podGroupName: 'g' } };
const bundle = { clusterTrustBundle: { name: 'n', path: 'p' } };
const certificate = { podCertificate: { signerName: 'a.b/c', keyType: 'ED25519', keyPath: 'k' } };
const secret = { secret: { name: 's' } };
const projected = (...sources: object[]): object => ({ volumes: [{ name: 'v', projected: { sources } }] });

describe('pods and templates', () => {
  const template = (spec: object): object => ({ spec: { template: { spec } } });
  it.each<[string, (spec: object) => object]>([
    ['/Pod', (spec) => ({ spec })],
    ['/PodTemplate', (spec) => ({ template: { spec } })],
    ['/ReplicationController', template],
    ['apps/DaemonSet', template],
    ['apps/Deployment', template],
    ['apps/ReplicaSet', template],
    ['apps/StatefulSet', template],
    ['batch/Job', template],
    ['batch/CronJob', (spec) => ({ spec: { jobTemplate: template(spec) } })],
  ])('%s', (key, inside) => {
    const wanted = { hostNetwork: true, ...group, ...projected(bundle, certificate, secret) };
    const left = { hostNetwork: true, ...projected({}, {}, secret) };
    expect(dropped(key, inside(wanted))).toMatchObject(inside(left));
    expect(JSON.stringify(dropped(key, inside(wanted)))).not.toContain('schedulingGroup');
    expect(dropped(key, inside(wanted), inside({}))).toEqual(dropped(key, inside(wanted)));
    expect(dropped(key, inside(wanted), inside(wanted))).toMatchObject(inside(wanted));
  });

  it('what one of them uses does not let the others in', () => {
    const spec = projected(bundle, certificate);
    expect(dropped('/Pod', { spec }, { spec: projected(bundle) })['spec']).toEqual(projected(bundle, {}));
  });

  it('signals to stop containers by', () => {
    const spec = (...lifecycles: object[]): object => ({
      spec: { containers: lifecycles.map((one) => ({ lifecycle: one })) },
    });
    const signal = { stopSignal: 'SIGUSR1' };
    const hook = { preStop: { sleep: { seconds: 1 } } };
    const containers = [{}, { lifecycle: hook }];
    expect(dropped('/Pod', spec(signal, { ...signal, ...hook }))['spec']).toEqual({ containers });
    expect(dropped('/Pod', spec(signal), spec(signal))).toMatchObject(spec(signal));
  });

  it('what a status tells of such features', () => {
    const mount = { name: 'v', mountPath: '/v' };
    const volumeStatus = { image: { imageRef: 'i' } };
    const wanted = {
      nodeAllocatableResourceClaimStatuses: [{ resourceClaimName: 'c' }],
      containerStatuses: [{ name: 'c', volumeMounts: [{ ...mount, volumeStatus }] }],
    };
    const left = { containerStatuses: [{ name: 'c', volumeMounts: [mount] }] };
    expect(dropped('/Pod', { status: wanted }, {})['status']).toEqual(left);
    expect(dropped('/Pod', { status: wanted }, { status: wanted })['status']).toEqual(wanted);
  });

  it('without a spec', () => {
    expect(dropped('apps/Deployment', {})).not.toHaveProperty('spec');
  });
});

describe('other kinds', () => {
  it.each<[string, object, object]>([
    [
      'coordination.k8s.io/Lease',
      { strategy: 'OldestEmulationVersion', preferredHolder: 'h' },
      { holderIdentity: 'a' },
    ],
    ['storage.k8s.io/CSIDriver', { preventPodSchedulingIfMissing: true }, { attachRequired: true }],
    ['/Node', { configSource: { configMap: {} } }, { providerID: 'p' }],
  ])('%s', (key, disabled, kept) => {
    const spec = { ...kept, ...disabled };
    expect(dropped(key, { spec })['spec']).toEqual(kept);
    expect(dropped(key, { spec }, { spec: kept })['spec']).toEqual(kept);
    expect(dropped(key, { spec }, { spec: disabled })['spec']).toEqual(spec);
    expect(dropped(key, {})).not.toHaveProperty('spec');
  });
});
