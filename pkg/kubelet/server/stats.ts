import { freemem, loadavg } from 'node:os';
import type { ContainerStats } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import { CONTAINER_NAME_LABEL, NODE_LABEL, POD_NAME_LABEL, POD_NAMESPACE_LABEL, POD_UID_LABEL } from '../labels.ts';
import { nodeCPUSeconds } from './node-cpu.ts';

const NANOS_PER_MS = 1e6;

async function ownStats(context: KubeletContext): Promise<readonly ContainerStats[]> {
  const labelSelector = { [NODE_LABEL]: context.options.nodeName };
  return context.deps.cri.runtime.listContainerStats({ labelSelector });
}

/** `/stats/summary`: CPU, memory and writable layers of the containers, and the node's memory. */
export async function statsSummary(context: KubeletContext): Promise<object> {
  const now = new Date(context.deps.clock.now()).toISOString();
  const pods = new Map<string, { podRef: object; startTime: string; containers: object[] }>();
  for (const stats of await ownStats(context)) {
    const { labels } = stats.attributes;
    const uid = labels[POD_UID_LABEL] ?? '';
    let pod = pods.get(uid);
    if (pod === undefined) {
      pod = {
        podRef: { name: labels[POD_NAME_LABEL], namespace: labels[POD_NAMESPACE_LABEL], uid },
        startTime: now,
        containers: [],
      };
      pods.set(uid, pod);
    }
    pod.containers.push({
      name: labels[CONTAINER_NAME_LABEL],
      startTime: now,
      cpu: {
        time: timeOf(stats.cpu?.timestamp ?? 0),
        usageCoreNanoSeconds: stats.cpu?.usageCoreNanoSeconds?.value ?? 0,
      },
      memory: {
        time: timeOf(stats.memory?.timestamp ?? 0),
        workingSetBytes: stats.memory?.workingSetBytes?.value ?? 0,
        usageBytes: stats.memory?.usageBytes?.value ?? 0,
        rssBytes: stats.memory?.rssBytes?.value ?? 0,
      },
      rootfs: {
        time: now,
        usedBytes: stats.writableLayer?.usedBytes?.value ?? 0,
        inodesUsed: stats.writableLayer?.inodesUsed?.value ?? 0,
      },
    });
  }
  const { memoryBytes } = context.machine;
  return {
    node: {
      nodeName: context.options.nodeName,
      startTime: now,
      cpu: { time: now, usageNanoCores: Math.round((loadavg()[0] ?? 0) * 1e9) },
      memory: {
        time: now,
        availableBytes: freemem(),
        usageBytes: memoryBytes - freemem(),
        workingSetBytes: memoryBytes - freemem(),
      },
    },
    pods: [...pods.values()],
  };
}

/** `/metrics/resource`, in Prometheus' text form. */
export async function resourceMetrics(context: KubeletContext): Promise<string> {
  const cpu: string[] = [];
  const memory: string[] = [];
  for (const { attributes, cpu: used, memory: held } of await ownStats(context)) {
    const { labels } = attributes;
    const tags = [
      ['container', labels[CONTAINER_NAME_LABEL]],
      ['namespace', labels[POD_NAMESPACE_LABEL]],
      ['pod', labels[POD_NAME_LABEL]],
    ]
      .map(([key, value]) => `${key}=${JSON.stringify(value ?? '')}`)
      .join(',');
    const at = Math.trunc((used?.timestamp ?? 0) / NANOS_PER_MS);
    cpu.push(`container_cpu_usage_seconds_total{${tags}} ${(used?.usageCoreNanoSeconds?.value ?? 0) / 1e9} ${at}`);
    memory.push(`container_memory_working_set_bytes{${tags}} ${held?.workingSetBytes?.value ?? 0} ${at}`);
  }
  const nodeSeconds = await nodeCPUSeconds();
  const nowMs = context.deps.clock.now();
  return [
    '# TYPE container_cpu_usage_seconds_total counter',
    ...cpu,
    '# TYPE container_memory_working_set_bytes gauge',
    ...memory,
    ...(nodeSeconds === undefined
      ? []
      : ['# TYPE node_cpu_usage_seconds_total counter', `node_cpu_usage_seconds_total ${nodeSeconds} ${nowMs}`]),
    '# TYPE node_memory_working_set_bytes gauge',
    `node_memory_working_set_bytes ${context.machine.memoryBytes - freemem()} ${nowMs}`,
    '',
  ].join('\n');
}

function timeOf(nanos: number): string {
  return new Date(nanos / NANOS_PER_MS).toISOString();
}
