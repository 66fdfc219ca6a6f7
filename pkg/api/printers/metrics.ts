import type { NodeMetrics, PodMetrics } from '../generated/types.ts';
import { formatQuantity, parseQuantity } from '../quantity.ts';
import { definePrinter, nameColumn, type PrinterTable } from './printer.ts';

type Usage = Readonly<Record<string, string | undefined>>;

const columns = [
  nameColumn,
  { name: 'cpu', type: 'string', format: 'quantity', description: 'Processor time used per second.' },
  { name: 'memory', type: 'string', format: 'quantity', description: 'Memory that cannot be taken back.' },
  { name: 'Window', type: 'string', format: 'duration', description: 'The time over which it was measured.' },
] as const;

/** As metrics-server shows them; a pod uses what its containers do. */
export const metricsPrinters: PrinterTable = {
  NodeMetrics: definePrinter<NodeMetrics>(columns, ({ metadata, usage, window }) => [
    metadata.name,
    ...cells([usage ?? {}]),
    window ?? '',
  ]),
  PodMetrics: definePrinter<PodMetrics>(columns, ({ metadata, containers, window }) => [
    metadata.name,
    ...cells((containers ?? []).map((container) => container?.usage ?? {})),
    window ?? '',
  ]),
};

function cells(usages: readonly Usage[]): readonly [string, string] {
  return [total(usages, 'cpu'), total(usages, 'memory')];
}

function total(usages: readonly Usage[], name: string): string {
  const amounts = usages.map((usage) => parseQuantity(usage[name] ?? '0'));
  const nano = amounts.reduce((sum, amount) => sum + amount.nano, 0n);
  return formatQuantity({ nano, format: amounts[0]?.format ?? 'DecimalSI' });
}
