import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { VolumeMetrics } from './volume-metrics.ts';

test('what is told of volumes has the names of upstream', async () => {
  const registry = new Registry();
  const metrics = new VolumeMetrics(registry);
  metrics.operation('kubernetes.io/secret', 'volume_mount', 0.2, false);
  metrics.operation('kubernetes.io/nfs', 'volume_mount', 700, true);
  metrics.measured('du', 3);
  metrics.orphans(2, 1);
  metrics.imageVolumes(1, 2, false);
  metrics.imageVolumes(3, 4, true);
  const count = { desired: new Map([['kubernetes.io/nfs', 1]]), actual: new Map([['kubernetes.io/secret', 1]]) };
  metrics.count({ desired: new Map([['old', 1]]), actual: new Map() });
  metrics.count(count);
  const lines = (await registry.metrics()).split('\n');
  const mount = (plugin: string, status: string): string =>
    `volume_plugin="${plugin}",operation_name="volume_mount",status="${status}",migrated="false"`;
  expect(lines).toEqual(
    expect.arrayContaining([
      `storage_operation_duration_seconds_bucket{le="0.25",${mount('kubernetes.io/secret', 'success')}} 1`,
      `storage_operation_duration_seconds_bucket{le="600",${mount('kubernetes.io/nfs', 'fail-unknown')}} 0`,
      `storage_operation_duration_seconds_count{${mount('kubernetes.io/nfs', 'fail-unknown')}} 1`,
      'kubelet_volume_metric_collection_duration_seconds_sum{metric_source="du"} 3',
      'kubelet_orphan_pod_cleaned_volumes 2',
      'kubelet_image_volume_requested_total 4',
      'kubelet_image_volume_mounted_succeed_total 2',
      'kubelet_image_volume_mounted_errors_total 4',
      'kubelet_orphan_pod_cleaned_volumes_errors 1',
      'volume_manager_total_volumes{plugin_name="kubernetes.io/nfs",state="desired_state_of_world"} 1',
      'volume_manager_total_volumes{plugin_name="kubernetes.io/secret",state="actual_state_of_world"} 1',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('volume_manager_total_volumes'))).toHaveLength(2);
});
