import { internalError, isStatusError, type StatusError } from '../../../api/errors.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { AdmissionAttributes, ObjectReader } from '../../contract.ts';
import { WebhookCallError, type WebhookClient } from '../../webhooks/index.ts';
import { matchesNamespaceSelector, matchesObjectSelector } from '../matching/selectors.ts';
import type { Versions } from '../matching/versions.ts';
import type { RequestForm } from './admission-review.ts';
import type { Hook, HookMatch } from './hooks.ts';
import type { RequestForms } from './request-forms.ts';
import { checkTime } from './webhook-caller.ts';
import type { WebhookInstruments, WebhookMetrics, WebhookType } from './webhook-metrics.ts';

/** Evaluates `matchConditions`. */
export interface HookConditions {
  /** False: the webhook is not concerned. Throws Forbidden when that cannot be told and the failure policy is Fail. */
  check(type: WebhookType, hook: Hook, attributes: AdmissionAttributes, form: RequestForm): Promise<boolean>;
}

export interface WebhookPluginDeps {
  readonly reader: ObjectReader;
  readonly client: WebhookClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly conditions: HookConditions;
  readonly instruments: WebhookInstruments;
  /** Made when first asked for, as it needs the server. */
  readonly versions: Versions;
}

/** Whether the selectors and conditions of a webhook let it see a request. */
export async function isConcerned(
  type: WebhookType,
  { hook, definition }: HookMatch,
  attributes: AdmissionAttributes,
  forms: RequestForms,
  { reader, conditions }: WebhookPluginDeps,
): Promise<boolean> {
  const { namespaceSelector, objectSelector, matchConditions = [] } = hook.webhook;
  if (!matchesObjectSelector(objectSelector, attributes)) return false;
  if (!matchesNamespaceSelector(namespaceSelector, attributes, reader)) return false;
  if (matchConditions.length === 0) return true;
  return conditions.check(type, hook, attributes, await forms.in(definition));
}

/** How a call of a webhook went wrong: ignored, or an error for the client. */
export interface FailureContext {
  readonly hook: Hook;
  readonly attributes: AdmissionAttributes;
  readonly metrics: WebhookMetrics;
  readonly logger: Logger;
  /** The key of the audit annotation for a failure that is ignored. */
  readonly openAnnotation: string;
}

export interface Failure {
  /** The error for the client; absent when the failure policy says to go on. */
  readonly refusal?: StatusError;
  /** What the metrics of the call say. */
  readonly code: number;
}

/** What comes of a call that has failed. Throws Timeout when there is no time to go on. */
export function failureOf(error: unknown, context: FailureContext): Failure {
  const { hook, attributes, metrics, logger } = context;
  const { name, failurePolicy } = hook.webhook;
  const { operation } = attributes;
  if (!(error instanceof WebhookCallError)) {
    metrics.rejected(name, operation, 'apiserver_internal_error', 0);
    return { refusal: isStatusError(error) ? error : internalError(error), code: 0 };
  }
  const failure = internalError(
    new Error(`failed calling webhook ${JSON.stringify(name)}: ${error.message}`, { cause: error }),
  );
  const isIgnored = failurePolicy === 'Ignore';
  logger.warn({ webhook: name, configuration: hook.configuration, isIgnored, err: error }, 'webhook failed');
  if (!isIgnored) {
    metrics.rejected(name, operation, 'calling_webhook_error', error.code);
    return { refusal: failure, code: error.code };
  }
  metrics.failedOpen(name);
  attributes.annotate(context.openAnnotation, name);
  checkTime(attributes);
  return { code: error.code };
}
