import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { AdmissionHarness } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

async function refused(spec: object, message: string): Promise<void> {
  await expect(harness.admitted(spec)).rejects.toThrow(`pods "p" is forbidden: ${message}`);
}

describe('ResourceQuota', () => {
  function quota(hard: Record<string, string>, used: Record<string, string>, spec: object = {}): void {
    const object = { metadata: { namespace: 'ns', name: 'q' }, spec: { hard, ...spec }, status: { hard, used } };
    if (harness.cluster.list(resources.resourcequotas).length > 0)
      harness.cluster.remove(resources.resourcequotas, object.metadata);
    const stored = harness.cluster.add(resources.resourcequotas, object);
    harness.put('resourcequotas', stored);
  }
  const wants = (requests: object, limits: object = {}): object => ({
    containers: [{ name: 'main', resources: { requests, limits } }],
  });
  const used = () => harness.cluster.get(resources.resourcequotas, { namespace: 'ns', name: 'q' })?.status?.used;

  it('books what it admits, also for requests at the same time, and refuses the rest', async () => {
    quota({ 'requests.cpu': '1', 'limits.memory': '1Gi' }, { 'requests.cpu': '0', 'limits.memory': '0' });
    await refused({}, 'failed quota: q: must specify limits.memory for: main; requests.cpu for: main');
    const half = wants({ cpu: '500m' }, { memory: '512Mi' });
    const results = await Promise.allSettled([harness.admitted(half), harness.admitted(half), harness.admitted(half)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(used()).toEqual({ 'requests.cpu': '1', 'limits.memory': '1Gi' });
  });

  it('names what is exceeded', async () => {
    quota({ 'requests.cpu': '1' }, { 'requests.cpu': '500m' });
    await refused(
      wants({ cpu: '600m' }),
      'exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1',
    );
  });

  it('counts objects and heeds scopes', async () => {
    quota({ pods: '0' }, { pods: '0' }, { scopes: ['Terminating'] });
    await refused({ activeDeadlineSeconds: 10 }, 'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0');
    await harness.admitted();
    quota({ 'count/configmaps': '0', services: '1' }, { 'count/configmaps': '0', services: '0' });
    await expect(harness.run('configmaps', {})).rejects.toThrow('exceeded quota: q, requested: count/configmaps=1');
    await harness.run('services', { spec: {} });
    expect(used()).toMatchObject({ services: '1' });
  });

  it('books once in each quota, also when another one has changed meanwhile', async () => {
    quota({ pods: '5' }, { pods: '0' });
    const other = { metadata: { namespace: 'ns', name: 'r' }, spec: { hard: { pods: '5' } } };
    const of = (pods: string) => ({ ...other, status: { hard: { pods: '5' }, used: { pods } } });
    const stored = harness.cluster.add(resources.resourcequotas, of('3'));
    const metadata = { ...stored.metadata, resourceVersion: '1' };
    harness.put('resourcequotas', { ...of('0'), metadata });
    await harness.admitted();
    expect(used()).toEqual({ pods: '1' });
    expect(harness.cluster.get(resources.resourcequotas, other.metadata)?.status?.used).toEqual({ pods: '4' });
  });

  it('is not asked before its status is known, and then for all it counts', async () => {
    quota({}, {}, { hard: { pods: '0' } });
    await harness.admitted();
    quota({ pods: '1', 'requests.cpu': '1', services: '1' }, { pods: '0' });
    await refused(wants({ cpu: '1m' }), 'status unknown for quota: q, resources: pods,requests.cpu');
  });

  it('leaves events alone', async () => {
    quota({ 'count/events': '0' }, { 'count/events': '0' });
    await harness.run('events', {});
  });

  it('lets resources of the pod stand for those of its containers', async () => {
    quota({ 'requests.cpu': '1', 'limits.memory': '1Gi' }, { 'requests.cpu': '0', 'limits.memory': '0' });
    await harness.admitted({ resources: { requests: { cpu: '500m' } } });
    expect(used()).toEqual({ 'requests.cpu': '500m', 'limits.memory': '0' });
  });

  it('is asked when a pod is resized', async () => {
    const sized = (memory: string): object => ({ metadata: { name: 'p' }, spec: wants({ memory }) });
    const resize = (memory: string) =>
      harness.run('pods', sized(memory), {
        name: 'p',
        operation: 'UPDATE',
        subresource: 'resize',
        oldObject: sized('300Mi'),
      });
    quota({ memory: '800Mi' }, { memory: '700Mi' });
    await expect(resize('750Mi')).rejects.toThrow(
      'exceeded quota: q, requested: memory=450Mi, used: memory=700Mi, limited: memory=800Mi',
    );
    await resize('400Mi');
    expect(used()).toEqual({ memory: '800Mi' });
    await resize('200Mi');
    expect(used()).toEqual({ memory: '800Mi' });
  });

  it('counts a claim for each of its VolumeAttributesClasses', async () => {
    const hard = { 'requests.storage': '1Gi', persistentvolumeclaims: '1' };
    const claim = (wanted: string, status: object = {}): object => ({
      metadata: { name: 'c' },
      spec: { volumeAttributesClassName: wanted, resources: { requests: { storage: '1Gi' } } },
      status,
    });
    const update = (object: object, oldObject: object, subresource = '') =>
      harness.run('persistentvolumeclaims', object, { name: 'c', operation: 'UPDATE', subresource, oldObject });
    const silver = { matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator: 'In', values: ['silver'] }] };
    const none = { 'requests.storage': '0', persistentvolumeclaims: '0' };
    quota(hard, none, { scopeSelector: silver });
    await harness.run('persistentvolumeclaims', claim('gold'));
    expect(used()).toEqual(none);
    await update(claim('silver', { currentVolumeAttributesClassName: 'gold' }), claim('gold'));
    expect(used()).toEqual(hard);
    await update(claim('silver'), claim('silver'));
    await expect(harness.run('persistentvolumeclaims', claim('silver'))).rejects.toThrow(
      'exceeded quota: q, requested: persistentvolumeclaims=1,requests.storage=1Gi, used: persistentvolumeclaims=1',
    );
    const given = claim('gold', { currentVolumeAttributesClassName: 'silver' });
    await update(given, claim('gold'), 'status');
    expect(used()).toEqual({ 'requests.storage': '2Gi', persistentvolumeclaims: '2' });
  });
});
