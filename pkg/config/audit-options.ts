import { ConfigError, type OptionSpec } from './option.ts';

const VERSION = 'audit.k8s.io/v1';

function truncateOptions<S extends 'log' | 'webhook'>(sink: S) {
  return [
    {
      name: `audit-${sink}-truncate-enabled`,
      type: 'bool',
      default: false,
      description: 'whether audit events that are too large lose their objects',
    },
    {
      name: `audit-${sink}-truncate-max-batch-size`,
      type: 'int',
      default: 10_485_760,
      description: 'bytes that a batch of audit events may have',
    },
    {
      name: `audit-${sink}-truncate-max-event-size`,
      type: 'int',
      default: 102_400,
      description: 'bytes that one audit event may have',
    },
  ] as const satisfies readonly OptionSpec[];
}

/** The settings of audit; names and defaults are upstream's, but for audit-log-mode: nothing waits unless it is to. */
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
    name: 'audit-log-compress',
    type: 'bool',
    default: false,
    description: 'whether audit logs put aside are compressed by gzip',
  },
  {
    name: 'audit-log-format',
    type: 'string',
    default: 'json',
    description: 'json, or legacy for one line of text for each event',
  },
  { name: 'audit-log-version', type: 'string', default: VERSION, description: `version of the events: ${VERSION}` },
  {
    name: 'audit-log-mode',
    type: 'string',
    default: 'batch',
    description:
      'batch: requests never wait for the file; blocking: they wait until their events are written; blocking-strict: a request whose arrival cannot be written is refused',
  },
  {
    name: 'audit-log-batch-buffer-size',
    type: 'int',
    default: 10_000,
    description: 'how many audit events may wait for the file; more are dropped',
  },
  {
    name: 'audit-log-batch-max-size',
    type: 'int',
    default: 1,
    description: 'how many audit events are gathered before they are written',
  },
  {
    name: 'audit-log-batch-max-wait',
    type: 'duration',
    default: 0,
    description: 'how long audit events wait for others to be written with',
  },
  {
    name: 'audit-log-batch-throttle-enable',
    type: 'bool',
    default: false,
    description: 'not supported: nothing limits how often a file is written',
  },
  ...truncateOptions('log'),
  { name: 'audit-webhook-config-file', type: 'path', description: 'kubeconfig of a webhook for audit events' },
  { name: 'audit-webhook-version', type: 'string', default: VERSION, description: `version of the events: ${VERSION}` },
  {
    name: 'audit-webhook-mode',
    type: 'string',
    default: 'batch',
    description:
      'batch: requests never wait for the webhook; blocking: they wait until their events are sent; blocking-strict: a request whose arrival cannot be sent is refused',
  },
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
    name: 'audit-webhook-batch-throttle-enable',
    type: 'bool',
    default: true,
    description: 'whether the number of batches in a second is limited',
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
  ...truncateOptions('webhook'),
] as const satisfies readonly OptionSpec[];

export type AuditOptionName = (typeof auditOptions)[number]['name'];

export type AuditMode = 'batch' | 'blocking' | 'blocking-strict';

export interface AuditConfig {
  readonly policyFile: string;
  readonly log?: {
    /** `-`: standard output. */
    readonly path: string;
    readonly maxBytes: number;
    readonly maxAgeMs: number;
    readonly maxBackups: number;
    readonly compress: boolean;
    readonly format: 'json' | 'legacy';
    readonly mode: AuditMode;
    readonly bufferSize: number;
    readonly batchMaxEvents: number;
    readonly batchMaxWaitMs: number;
    readonly maxEventBytes?: number;
  };
  readonly webhook?: {
    readonly configFile: string;
    readonly mode: AuditMode;
    readonly initialBackoffMs: number;
    readonly bufferSize: number;
    readonly batchMaxEvents: number;
    readonly batchMaxWaitMs: number;
    readonly throttle?: { readonly qps: number; readonly burst: number };
    readonly maxBatchBytes: number;
    /** Absent: events are sent whole. */
    readonly maxEventBytes?: number;
  };
}

const MODES: readonly AuditMode[] = ['batch', 'blocking', 'blocking-strict'];

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
  const oneOf = <T extends string>(name: AuditOptionName, values: readonly T[]): T => {
    const value = get<string>(name);
    const known = values.find((one) => one === value);
    if (known === undefined)
      throw new ConfigError(`--${name}: ${JSON.stringify(value)} is not one of ${values.join(', ')}`);
    return known;
  };
  for (const sink of ['log', 'webhook'] as const) oneOf(`audit-${sink}-version`, [VERSION]);
  if (get<boolean>('audit-log-batch-throttle-enable'))
    throw new ConfigError('--audit-log-batch-throttle-enable: how often a file is written cannot be limited');
  const truncation = (sink: 'log' | 'webhook'): { maxEventBytes?: number } =>
    get<boolean>(`audit-${sink}-truncate-enabled`)
      ? { maxEventBytes: count(`audit-${sink}-truncate-max-event-size`, 1024) }
      : {};
  const log = {
    path: logPath ?? '',
    maxBytes: count('audit-log-maxsize', 0) * 1024 * 1024,
    maxAgeMs: count('audit-log-maxage', 0) * 86_400_000,
    maxBackups: count('audit-log-maxbackup', 0),
    compress: get<boolean>('audit-log-compress'),
    format: oneOf('audit-log-format', ['json', 'legacy']),
    mode: oneOf('audit-log-mode', MODES),
    bufferSize: count('audit-log-batch-buffer-size', 1),
    batchMaxEvents: count('audit-log-batch-max-size', 1),
    batchMaxWaitMs: get<number>('audit-log-batch-max-wait'),
    ...truncation('log'),
  };
  const webhook = {
    configFile: webhookFile ?? '',
    mode: oneOf('audit-webhook-mode', MODES),
    initialBackoffMs: get<number>('audit-webhook-initial-backoff'),
    bufferSize: count('audit-webhook-batch-buffer-size', 1),
    batchMaxEvents: count('audit-webhook-batch-max-size', 1),
    batchMaxWaitMs: get<number>('audit-webhook-batch-max-wait'),
    ...(get<boolean>('audit-webhook-batch-throttle-enable')
      ? {
          throttle: {
            qps: count('audit-webhook-batch-throttle-qps', 1),
            burst: count('audit-webhook-batch-throttle-burst', 1),
          },
        }
      : {}),
    maxBatchBytes: count('audit-webhook-truncate-max-batch-size', 1024),
    ...truncation('webhook'),
  };
  return {
    policyFile,
    ...(logPath === undefined ? {} : { log }),
    ...(webhookFile === undefined ? {} : { webhook }),
  };
}
