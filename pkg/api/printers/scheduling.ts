import type { PriorityClass } from '../generated/types.ts';
import { age, ageColumn, boolean, definePrinter, integer, nameColumn, type PrinterTable, wide } from './printer.ts';

const priorityClassPrinter = definePrinter<PriorityClass>(
  [
    nameColumn,
    integer('Value', 'The priority of its pods.'),
    boolean('Global-Default', 'Whether pods without a class get this one.'),
    ageColumn,
    wide('PreemptionPolicy', 'Whether its pods may displace others.'),
  ],
  (priorityClass, nowMs) => [
    priorityClass.metadata.name,
    priorityClass.value ?? 0,
    priorityClass.globalDefault ?? false,
    age(priorityClass, nowMs),
    priorityClass.preemptionPolicy ?? '<unset>',
  ],
);

export const schedulingPrinters: PrinterTable = { PriorityClass: priorityClassPrinter };
