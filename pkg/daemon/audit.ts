import {
  Auditor,
  type AuditSink,
  LogSink,
  readAuditPolicy,
  SinkMetrics,
  WebhookSink,
} from '../apiserver/audit/index.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { KubeconfigError, loadKubeconfig, type RestClientMetrics } from '../client/index.ts';
import { type AuditConfig, ConfigError } from '../config/index.ts';

export interface AuditDeps {
  readonly requests: RestClientMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** JSON of events that wait for one sink, in characters. */
const BUFFER_LENGTH = 64 * 1024 * 1024;

/** Audit as configured. Throws ConfigError for a policy or kubeconfig that cannot be used. */
export async function createAuditor(config: AuditConfig, deps: AuditDeps): Promise<Auditor> {
  const policy = await readAuditPolicy(config.policyFile);
  const metrics = new SinkMetrics(deps.metrics);
  const logger = deps.logger.child({ component: 'audit' });
  const sinks: AuditSink[] = [];
  const { log, webhook } = config;
  if (log !== undefined) {
    const options = { ...log, maxEvents: log.bufferSize, maxLength: BUFFER_LENGTH, ...eventLimit(log) };
    sinks.push(new LogSink(options, { clock: deps.clock, logger, metrics }));
  }
  if (webhook !== undefined) {
    const options = {
      ...webhook,
      target: await webhookTarget(webhook.configFile),
      maxEvents: webhook.bufferSize,
      maxLength: BUFFER_LENGTH,
      batchMaxLength: webhook.maxBatchBytes,
      ...eventLimit(webhook),
    };
    sinks.push(new WebhookSink(options, { clock: deps.clock, logger, metrics, requests: deps.requests }));
  }
  return new Auditor({ policy, sinks, clock: deps.clock, metrics: deps.metrics });
}

function eventLimit({ maxEventBytes }: { readonly maxEventBytes?: number }): { maxEventLength?: number } {
  return maxEventBytes === undefined ? {} : { maxEventLength: maxEventBytes };
}

async function webhookTarget(file: string) {
  try {
    return await loadKubeconfig(file);
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    throw new ConfigError(`--audit-webhook-config-file: ${error.message}`, { cause: error });
  }
}
