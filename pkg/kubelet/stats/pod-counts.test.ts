import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { podCounts } from './pod-counts.ts';
import { ServerMetrics } from './server-metrics.ts';

const pod = (isStatic: boolean, spec: object = {}): Pod =>
  ({
    metadata: { annotations: isStatic ? { 'kubernetes.io/config.source': 'file' } : {} },
    spec,
  }) as unknown as Pod;

test('pods by what is being done about them', () => {
  const counted = [
    { pod: pod(false, { ephemeralContainers: [{ name: 'e' }] }), lifecycle: 'sync', desired: true },
    { pod: pod(false), lifecycle: 'terminating', desired: false },
    { pod: pod(true), lifecycle: 'terminated', desired: true },
  ] as const;
  const lines = podCounts(counted, 1).split('\n');
  expect(lines.filter((line) => !line.startsWith('#') && !line.endsWith(' 0') && line !== '')).toEqual([
    'kubelet_desired_pods{static=""} 1',
    'kubelet_desired_pods{static="true"} 1',
    'kubelet_active_pods{static=""} 2',
    'kubelet_mirror_pods 1',
    'kubelet_working_pods{config="desired",lifecycle="sync",static=""} 1',
    'kubelet_working_pods{config="desired",lifecycle="terminated",static="true"} 1',
    'kubelet_working_pods{config="orphan",lifecycle="terminating",static=""} 1',
    'kubelet_managed_ephemeral_containers 1',
  ]);
});

test('requests, by the first part of their path as far as it is known', async () => {
  const registry = new Registry();
  const metrics = new ServerMetrics(registry);
  metrics.request('GET', '/metrics/cadvisor?x=1')(0.2);
  metrics.request('POST', '/exec/ns/p/c');
  metrics.request('BREW', '/whatever')(1);
  const text = await registry.metrics();
  const labels = (method: string, path: string, long: boolean): string =>
    `{method="${method}",path="${path}",server_type="readwrite",long_running="${long}"}`;
  expect(text).toContain(`kubelet_http_requests_total${labels('GET', 'metrics', false)} 1`);
  expect(text).toContain(`kubelet_http_inflight_requests${labels('GET', 'metrics', false)} 0`);
  expect(text).toContain(`kubelet_http_inflight_requests${labels('POST', 'exec', true)} 1`);
  expect(text).toContain(`kubelet_http_requests_total${labels('other', 'other', false)} 1`);
});
