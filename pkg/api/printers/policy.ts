import type { PodDisruptionBudget } from '../generated/types.ts';
import { age, ageColumn, definePrinter, integer, nameColumn, type PrinterTable, text } from './printer.ts';

const podDisruptionBudgetPrinter = definePrinter<PodDisruptionBudget>(
  [
    nameColumn,
    text('Min Available', 'How many pods must stay available.'),
    text('Max Unavailable', 'How many pods may be unavailable.'),
    integer('Allowed Disruptions', 'How many pods may be evicted now.'),
    ageColumn,
  ],
  (budget, nowMs) => [
    budget.metadata.name,
    String(budget.spec?.minAvailable ?? 'N/A'),
    String(budget.spec?.maxUnavailable ?? 'N/A'),
    budget.status?.disruptionsAllowed ?? 0,
    age(budget, nowMs),
  ],
);

export const policyPrinters: PrinterTable = { PodDisruptionBudget: podDisruptionBudgetPrinter };
