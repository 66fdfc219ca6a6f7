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
});
