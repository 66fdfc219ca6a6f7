import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { ensureSystemPriorityClasses } from './index.ts';
import { AdmissionHarness } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

async function refused(spec: object, message: string): Promise<void> {
  await expect(harness.admitted(spec)).rejects.toThrow(`pods "p" is forbidden: ${message}`);
}

describe('Priority', () => {
  beforeEach(async () => {
    harness.put('priorityclasses', { metadata: { name: 'hi' }, value: 4242, preemptionPolicy: 'Never' });
    await ensureSystemPriorityClasses(harness.cluster.client);
    for (const object of harness.cluster.list(resources.priorityclasses)) harness.put('priorityclasses', object);
  });

  it('resolves class names', async () => {
    expect((await harness.admitted()).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    expect((await harness.admitted({ priorityClassName: 'hi' })).spec).toMatchObject({
      priority: 4242,
      preemptionPolicy: 'Never',
    });
    expect((await harness.admitted({ priorityClassName: 'system-cluster-critical' })).spec.priority).toBe(
      2_000_000_000,
    );
    harness.put('priorityclasses', { metadata: { name: 'gd' }, value: 7, globalDefault: true });
    expect((await harness.admitted()).spec).toMatchObject({ priority: 7, priorityClassName: 'gd' });
  });

  it('refuses what does not fit', async () => {
    const hi = { priorityClassName: 'hi' };
    await refused(
      { ...hi, priority: 1 },
      'the integer value of priority (1) must not be provided in pod spec; priority admission controller computed 4242 from the given PriorityClass name',
    );
    await refused(
      { ...hi, preemptionPolicy: 'PreemptLowerPriority' },
      'the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name',
    );
    await refused({ priorityClassName: 'ghost' }, 'no PriorityClass with name ghost was found');
    const remove = harness.run('priorityclasses', undefined, { operation: 'DELETE', name: 'system-node-critical' });
    await expect(remove).rejects.toThrow('this is a system priority class and cannot be deleted');
    harness.put('priorityclasses', { metadata: { name: 'gd' }, value: 7, globalDefault: true });
    const second = harness.run('priorityclasses', { globalDefault: true }, { name: 'gd2' });
    await expect(second).rejects.toThrow(
      '"gd2" is forbidden: PriorityClass gd is already marked as default. Only one default can exist',
    );
  });
});
