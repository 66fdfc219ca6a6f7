import type {
  AutoscalingHorizontalPodAutoscaler,
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  Scale,
} from '../generated/types.ts';
import { firstFew } from './format.ts';
import {
  age,
  ageColumn,
  definePrinter,
  integer,
  nameColumn,
  type Printable,
  type PrinterTable,
  text,
} from './printer.ts';

/** Serves autoscaling/v2 and, with its one CPU metric, autoscaling/v1. */
const autoscalerPrinter = definePrinter<HorizontalPodAutoscaler>(
  [
    nameColumn,
    text('Reference', 'The workload that it scales.'),
    text('Targets', 'The current and the wanted values of its metrics.'),
    text('MinPods', 'The least number of pods.'),
    text('MaxPods', 'The greatest number of pods.'),
    text('Replicas', 'How many pods there are.'),
    ageColumn,
  ],
  (autoscaler, nowMs) => {
    const target = autoscaler.spec?.scaleTargetRef;
    return [
      autoscaler.metadata.name,
      `${target?.kind ?? ''}/${target?.name ?? ''}`,
      targets(autoscaler),
      autoscaler.spec?.minReplicas === undefined ? '<unset>' : String(autoscaler.spec.minReplicas),
      autoscaler.spec?.maxReplicas ?? 0,
      autoscaler.status?.currentReplicas ?? 0,
      age(autoscaler, nowMs),
    ];
  },
);

function targets(autoscaler: Printable<HorizontalPodAutoscaler>): string {
  const v1 = autoscaler as Printable<AutoscalingHorizontalPodAutoscaler>;
  const cpu = v1.spec?.targetCPUUtilizationPercentage;
  if (cpu !== undefined) {
    const current = v1.status?.currentCPUUtilizationPercentage;
    return `cpu: ${current === undefined ? '<unknown>' : `${current}%`}/${cpu}%`;
  }
  const metrics = (autoscaler.spec?.metrics ?? []) as readonly MetricSpec[];
  if (metrics.length === 0) return '<none>';
  const current = (autoscaler.status?.currentMetrics ?? []) as readonly MetricStatus[];
  return firstFew(
    metrics.map((metric, i) => formatMetric(metric, current[i])),
    2,
    ', ',
  );
}

function formatMetric(metric: MetricSpec, status: MetricStatus | undefined): string {
  switch (metric.type) {
    case 'External':
      return valueOrAverage(metric.external?.target, status?.external?.current);
    case 'Object':
      return valueOrAverage(metric.object?.target, status?.object?.current);
    case 'Pods':
      return `${status?.pods?.current?.averageValue ?? '<unknown>'}/${metric.pods?.target?.averageValue ?? '0'}`;
    case 'Resource':
      return resource(metric.resource, status?.resource?.current);
    case 'ContainerResource':
      return resource(metric.containerResource, status?.containerResource?.current);
    default:
      return '<unknown type>';
  }
}

function valueOrAverage(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  return target?.averageValue === undefined
    ? `${current?.value ?? '<unknown>'}/${target?.value ?? '0'}`
    : `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`;
}

function resource(
  metric: { readonly name?: string; readonly target?: MetricTarget } | undefined,
  current: MetricValueStatus | undefined,
): string {
  const { averageValue, averageUtilization } = metric?.target ?? {};
  const percent = (value: number | undefined, otherwise: string): string =>
    value === undefined ? otherwise : `${value}%`;
  const values =
    averageValue === undefined
      ? `${percent(current?.averageUtilization, '<unknown>')}/${percent(averageUtilization, '<auto>')}`
      : `${current?.averageValue ?? '<unknown>'}/${averageValue}`;
  return `${metric?.name ?? ''}: ${values}`;
}

/** The scale of anything: what `kubectl get --subresource=scale` shows. */
const scalePrinter = definePrinter<Scale>(
  [
    nameColumn,
    integer('Desired', 'How many replicas are wanted.'),
    integer('Available', 'How many replicas there are.'),
    ageColumn,
  ],
  (scale, nowMs) => [scale.metadata.name, scale.spec?.replicas ?? 0, scale.status?.replicas ?? 0, age(scale, nowMs)],
);

export const autoscalingPrinters: PrinterTable = { HorizontalPodAutoscaler: autoscalerPrinter, Scale: scalePrinter };
