import { beforeEach, describe, expect, it } from 'vitest';
import { AdmissionHarness } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

describe('NamespaceLifecycle', () => {
  it('refuses content for namespaces that are missing or going away', async () => {
    await expect(harness.run('configmaps', {}, { namespace: 'ghost' })).rejects.toThrow('namespaces "ghost" not found');
    harness.put('namespaces', { metadata: { name: 'ns', deletionTimestamp: '2026-01-01T00:00:00Z' } });
    const create = harness.run('configmaps', {});
    await expect(create).rejects.toThrow(
      'configmaps "x" is forbidden: unable to create new content in namespace ns because it is being terminated',
    );
    await expect(create).rejects.toMatchObject({
      status: { details: { causes: [{ reason: 'NamespaceTerminating' }] } },
    });
    await harness.run('configmaps', {}, { oldObject: {} });
    const remove = (name: string) => harness.run('namespaces', undefined, { operation: 'DELETE', name });
    await expect(remove('kube-system')).rejects.toThrow('this namespace may not be deleted');
    await remove('ns');
  });
});
