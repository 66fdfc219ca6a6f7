import { formatTime } from '../../api/time.ts';
import type { PathHandler } from '../http/request-handler.ts';
import { sendText } from '../http/response.ts';
import type { Fairness } from './fairness.ts';

const ROOT = '/debug/api_priority_and_fairness/';

/** Upstream's dumps of priority levels, queues and waiting requests, as tables of text. */
export function flowDebugHandler(fairness: Fairness): PathHandler {
  return ({ context, response, head }) => {
    const { path } = context.info;
    if (!path.startsWith(ROOT)) return false;
    const details = context.query.has('includeRequestDetails');
    const rows = dump(fairness, path.slice(ROOT.length), details);
    if (rows === undefined) return false;
    sendText(response, 200, alignedTable(rows), head);
    return true;
  };
}

function dump(fairness: Fairness, what: string, details: boolean): string[][] | undefined {
  switch (what) {
    case 'dump_priority_levels':
      return levelRows(fairness);
    case 'dump_queues':
      return queueRows(fairness);
    case 'dump_requests':
      return requestRows(fairness, details);
    default:
      return undefined;
  }
}

function levelRows(fairness: Fairness): string[][] {
  const rows = [
    [
      'PriorityLevelName',
      'ActiveQueues',
      'IsIdle',
      'IsQuiescing',
      'WaitingRequests',
      'ExecutingRequests',
      'DispatchedRequests',
      'RejectedRequests',
      'TimedoutRequests',
      'CancelledRequests',
    ],
  ];
  for (const level of sorted(fairness)) {
    const { dispatched, rejected, timedOut, cancelled } = level.counts;
    const active = [...level.queues].filter(({ waiting, executing }) => waiting.length + executing > 0).length;
    const idle = level.waiting + level.executing === 0;
    const counts = [level.waiting, level.executing, dispatched, rejected, timedOut, cancelled];
    rows.push([level.limits.name, String(active), String(idle), 'false', ...counts.map(String)]);
  }
  return rows;
}

function queueRows(fairness: Fairness): string[][] {
  const rows = [['PriorityLevelName', 'Index', 'PendingRequests', 'ExecutingRequests', 'SeatsInUse', 'NextDispatchR']];
  for (const level of sorted(fairness)) {
    const byIndex = new Map([...level.queues].map((queue) => [queue.index, queue]));
    for (let index = 0; index < (level.limits.queuing?.queues ?? 0); index++) {
      const queue = byIndex.get(index);
      const counts = [index, queue?.waiting.length ?? 0, queue?.executing ?? 0, queue?.seatsInUse ?? 0];
      rows.push([level.limits.name, ...counts.map(String), `${((queue?.nextStart ?? 0) / 1000).toFixed(8)}ss`]);
    }
  }
  return rows;
}

function requestRows(fairness: Fairness, details: boolean): string[][] {
  const rows = [
    [
      'PriorityLevelName',
      'FlowSchemaName',
      'QueueIndex',
      'RequestIndexInQueue',
      'FlowDistingsher',
      'ArriveTime',
      'InitialSeats',
      'FinalSeats',
      'AdditionalLatency',
      ...(details ? ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource'] : []),
    ],
  ];
  for (const level of sorted(fairness)) {
    for (const queue of level.queues) {
      for (const [index, { request, sinceMs }] of queue.waiting.entries()) {
        const { arrival, work } = request;
        const { info, user } = arrival;
        rows.push([
          level.limits.name,
          request.schema,
          String(queue.index),
          String(index),
          request.distinguisher,
          formatTime(sinceMs),
          String(work.seats),
          String(work.finalSeats),
          `${work.finalMs}ms`,
          ...(details
            ? [
                user.username,
                info.verb,
                info.path,
                info.namespace,
                info.name,
                info.version,
                info.resource,
                info.subresource,
              ]
            : []),
        ]);
      }
    }
  }
  return rows;
}

function sorted(fairness: Fairness) {
  return [...fairness.levels].sort((a, b) => (a.limits.name < b.limits.name ? -1 : 1));
}

/** Columns separated by commas and filled up with spaces. */
function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)) + 2);
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : `${cell},`.padEnd(widths[column] ?? 0))).join(''),
  );
  return `${lines.join('\n')}\n`;
}
