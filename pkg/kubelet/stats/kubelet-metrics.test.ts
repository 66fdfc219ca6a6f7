import { expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { CRI } from '../../cri/index.ts';
import { measuredCRI } from '../runtime/measured-cri.ts';
import { KubeletMetrics } from './kubelet-metrics.ts';

const gauges = {
  pods: 2,
  containers: new Map([['running', 3]] as const),
  volumes: { desired: new Map([['kubernetes.io/secret', 2]]), actual: new Map([['kubernetes.io/secret', 1]]) },
};

test('calls of the runtime are counted by kind and outcome, and answer as ever', async () => {
  const metrics = new KubeletMetrics('n1');
  const refused = new Error('no');
  class Runtime {
    readonly #version = 'v1';
    version = (): Promise<object> => Promise.resolve({ runtimeVersion: this.#version });
    runPodSandbox(): Promise<string> {
      return Promise.reject(refused);
    }
    containerEvents(): string {
      return this.#version;
    }
  }
  const cri = measuredCRI(
    { runtime: new Runtime(), images: {}, close: () => {} } as unknown as CRI,
    metrics,
    systemClock,
  );
  expect(await cri.runtime.version()).toEqual({ runtimeVersion: 'v1' });
  await expect(cri.runtime.runPodSandbox({} as never, '')).rejects.toBe(refused);
  // What is no call is handed on.
  expect(cri.runtime.containerEvents(new AbortController().signal)).toBe('v1');
  for (const reason of ['OutOfcpu', 'OutOfa.com/unit', 'NodePorts']) metrics.rejected(reason);
  const text = await metrics.text(gauges);
  for (const line of [
    'kubelet_runtime_operations_total{operation_type="version"} 1',
    'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 1',
    'kubelet_runtime_operations_errors_total{operation_type="run_podsandbox"} 1',
    'kubelet_runtime_operations_duration_seconds_count{operation_type="version"} 1',
    'kubelet_node_name{node="n1"} 1',
    'kubelet_admission_rejections_total{reason="OutOfcpu"} 1',
    'kubelet_admission_rejections_total{reason="OutOfExtendedResources"} 1',
    'kubelet_admission_rejections_total{reason="Other"} 1',
    'kubelet_running_pods 2',
    'kubelet_running_containers{container_state="running"} 3',
    'volume_manager_total_volumes{plugin_name="kubernetes.io/secret",state="actual_state_of_world"} 1',
    'volume_manager_total_volumes{plugin_name="kubernetes.io/secret",state="desired_state_of_world"} 2',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).not.toContain('kubelet_runtime_operations_errors_total{operation_type="version"}');
});
