import type { FlowSchema, PriorityLevelConfiguration } from '../generated/types.ts';
import { age, ageColumn, definePrinter, nameColumn, type PrinterTable, text } from './printer.ts';

const flowSchemaPrinter = definePrinter<FlowSchema>(
  [
    nameColumn,
    text('PriorityLevel', 'The priority level that its requests get.'),
    text('MatchingPrecedence', 'Its rank when several schemas match; the lowest wins.'),
    text('DistinguisherMethod', 'How its requests are divided into flows.'),
    ageColumn,
    text('MissingPL', 'Whether its priority level does not exist.'),
  ],
  (schema, nowMs) => [
    schema.metadata.name,
    schema.spec?.priorityLevelConfiguration?.name ?? '',
    schema.spec?.matchingPrecedence ?? 0,
    schema.spec?.distinguisherMethod?.type ?? '<none>',
    age(schema, nowMs),
    schema.status?.conditions?.find((condition) => condition.type === 'Dangling')?.status ?? '?',
  ],
);

const priorityLevelPrinter = definePrinter<PriorityLevelConfiguration>(
  [
    nameColumn,
    text('Type', 'Whether its requests are limited.'),
    text('NominalConcurrencyShares', 'Its share of the requests that are served at once.'),
    text('Queues', 'How many queues it has.'),
    text('HandSize', 'How many queues a flow may use.'),
    text('QueueLengthLimit', 'How many requests a queue may hold.'),
    ageColumn,
  ],
  (level, nowMs) => {
    const { limited, exempt } = level.spec ?? {};
    const queuing = limited?.limitResponse?.queuing;
    return [
      level.metadata.name,
      level.spec?.type ?? '',
      (limited ?? exempt)?.nominalConcurrencyShares ?? '<none>',
      queuing?.queues ?? '<none>',
      queuing?.handSize ?? '<none>',
      queuing?.queueLengthLimit ?? '<none>',
      age(level, nowMs),
    ];
  },
);

export const flowcontrolPrinters: PrinterTable = {
  FlowSchema: flowSchemaPrinter,
  PriorityLevelConfiguration: priorityLevelPrinter,
};
