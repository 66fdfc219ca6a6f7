/**
 * Audit: what a policy file says is to be recorded of each request, and the sinks (a file, a webhook) that keep it. It sees
 * requests of both front doors and decides about none of them. Corresponds to upstream's apiserver/pkg/audit and its plugins.
 */
export { Auditor, type AuditSink } from './auditor.ts';
export { SinkMetrics } from './event-buffer.ts';
export { LogSink } from './log-sink.ts';
export { readAuditPolicy } from './policy.ts';
export type { AuditRecord } from './record.ts';
export { recordAnswer } from './record-answer.ts';
export { sourceIPs } from './source-ips.ts';
export { WebhookSink } from './webhook-sink.ts';
