import { ConfigError, type OptionSpec } from './option.ts';

/** The settings of audit; names and defaults are upstream's. */
export const auditOptions = [
  { name: 'audit-policy-file', type: 'path', description: 'audit policy (audit.k8s.io/v1 Policy)' },
  { name: 'audit-log-path', type: 'string', description: 'file for audit events, - for standard output' },
  {
    name: 'audit-log-maxsize',
    type: 'int',
    default: 100,
    description: 'megabytes after which the audit log is put aside, 0 for never',
  },
  {
    name: 'audit-log-maxage',
    type: 'int',
    default: 0,
    description: 'days after which audit logs put aside are removed, 0 for never',
  },
  {
    name: 'audit-log-maxbackup',
    type: 'int',
    default: 0,
    description: 'how many audit logs put aside are kept, 0 for all',
  },
  {
    name: 'audit-log-batch-buffer-size',
    type: 'int',
    default: 10_000,
    description: 'how many audit events may wait for the file; more are dropped',
  },
  { name: 'audit-webhook-config-file', type: 'path', description: 'kubeconfig of a webhook for audit events' },
  {
    name: 'audit-webhook-initial-backoff',
    type: 'duration',
    default: 10_000,
    description: 'how long to wait before the first retry of an audit webhook',
  },
  {
    name: 'audit-webhook-batch-buffer-size',
    type: 'int',
    default: 10_000,
    description: 'how many audit events may wait for the webhook; more are dropped',
  },
  {
    name: 'audit-webhook-batch-max-size',
    type: 'int',
    default: 400,
    description: 'how many audit events are sent at once',
  },
  {
    name: 'audit-webhook-batch-max-wait',
    type: 'duration',
    default: 30_000,
    description: 'how long audit events wait for others to be sent with',
  },
  {
    name: 'audit-webhook-batch-throttle-qps',
    type: 'int',
    default: 10,
    description: 'how many batches of audit events are sent in a second on average',
  },
  {
    name: 'audit-webhook-batch-throttle-burst',
    type: 'int',
    default: 15,
    description: 'how many batches of audit events are sent at once after a pause',
  },
  {
    name: 'audit-webhook-truncate-enabled',
    type: 'bool',
    default: false,
    description: 'whether audit events that are too large for the webhook lose their objects',
  },
  {
    name: 'audit-webhook-truncate-max-batch-size',
    type: 'int',
    default: 10_485_760,
    description: 'bytes that a batch of audit events may have',
  },
  {
    name: 'audit-webhook-truncate-max-event-size',
    type: 'int',
    default: 102_400,
    description: 'bytes that one audit event may have',
  },
] as const satisfies readonly OptionSpec[];

export type AuditOptionName = (typeof auditOptions)[number]['name'];

export interface AuditConfig {
  readonly policyFile: string;
  readonly log?: {
    /** `-`: standard output. */
    readonly path: string;
    readonly maxBytes: number;
    readonly maxAgeMs: number;
    readonly maxBackups: number;
    readonly bufferSize: number;
  };
  readonly webhook?: {
    readonly configFile: string;
    readonly initialBackoffMs: number;
    readonly bufferSize: number;
    readonly batchMaxEvents: number;
    readonly batchMaxWaitMs: number;
    readonly throttleQPS: number;
    readonly throttleBurst: number;
    readonly maxBatchBytes: number;
    /** Absent: events are sent whole. */
    readonly maxEventBytes?: number;
  };
}

/** undefined: nothing is audited. Throws ConfigError for a policy without a sink, a sink without a policy, and impossible numbers. */
export function auditConfig(get: <T>(name: AuditOptionName) => T): AuditConfig | undefined {
  const policyFile = get<string | undefined>('audit-policy-file');
  const logPath = get<string | undefined>('audit-log-path');
  const webhookFile = get<string | undefined>('audit-webhook-config-file');
  if (policyFile === undefined) {
    const sink = logPath !== undefined ? 'audit-log-path' : 'audit-webhook-config-file';
    if (logPath !== undefined || webhookFile !== undefined)
      throw new ConfigError(`--${sink}: without --audit-policy-file nothing would be audited`);
    return undefined;
  }
  if (logPath === undefined && webhookFile === undefined)
    throw new ConfigError('--audit-policy-file: needs --audit-log-path or --audit-webhook-config-file');
  const count = (name: AuditOptionName, least: number): number => {
    const value = get<number>(name);
    if (value < least) throw new ConfigError(`--${name}: ${value} is less than ${least}`);
    return value;
  };
  const log = {
    path: logPath ?? '',
    maxBytes: count('audit-log-maxsize', 0) * 1024 * 1024,
    maxAgeMs: count('audit-log-maxage', 0) * 86_400_000,
    maxBackups: count('audit-log-maxbackup', 0),
    bufferSize: count('audit-log-batch-buffer-size', 1),
  };
  const webhook = {
    configFile: webhookFile ?? '',
    initialBackoffMs: get<number>('audit-webhook-initial-backoff'),
    bufferSize: count('audit-webhook-batch-buffer-size', 1),
    batchMaxEvents: count('audit-webhook-batch-max-size', 1),
    batchMaxWaitMs: get<number>('audit-webhook-batch-max-wait'),
    throttleQPS: count('audit-webhook-batch-throttle-qps', 1),
    throttleBurst: count('audit-webhook-batch-throttle-burst', 1),
    maxBatchBytes: count('audit-webhook-truncate-max-batch-size', 1024),
    ...(get<boolean>('audit-webhook-truncate-enabled')
      ? { maxEventBytes: count('audit-webhook-truncate-max-event-size', 1024) }
      : {}),
  };
  return {
    policyFile,
    ...(logPath === undefined ? {} : { log }),
    ...(webhookFile === undefined ? {} : { webhook }),
  };
}
