import type { AdmissionAttributes } from '../../contract.ts';
import { decodeReview, WebhookCallError, type WebhookClient } from '../../webhooks/index.ts';
import { type AdmissionResponse, admissionResponse, admissionReview, type RequestForm } from './admission-review.ts';
import type { Hook } from './hooks.ts';
import { dryRunUnsupported, requestTimeout } from './refusals.ts';

/** Longer answers are errors: a patch is never larger than the largest request by much. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const DEFAULT_TIMEOUT_SECONDS = 10;

/**
 * Asks one webhook about a request and passes on its warnings and audit annotations. Throws WebhookCallError when it cannot be
 * asked or answers what is no answer, StatusError when it must not be asked.
 */
export async function callWebhook(
  client: WebhookClient,
  { webhook }: Hook,
  attributes: AdmissionAttributes,
  form: RequestForm,
  mutating: boolean,
): Promise<AdmissionResponse> {
  const { sideEffects, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, name } = webhook;
  if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') throw dryRunUnsupported(name);
  const review = admissionReview(attributes, form, webhook.admissionReviewVersions);
  let answer: ReturnType<typeof decodeReview>;
  try {
    const text = await client.post(webhook.clientConfig, {
      body: review.text,
      timeoutMs: Math.min(timeoutSeconds * 1000, attributes.remainingMs()),
      tellsTimeout: true,
      maxBytes: MAX_ANSWER_BYTES,
      signal: attributes.signal,
    });
    answer = decodeReview(text);
  } catch (error) {
    if (!(error instanceof WebhookCallError)) throw error;
    throw new WebhookCallError(`failed to call webhook: ${error.message}`, { cause: error, code: error.code });
  }
  const response = admissionResponse(answer, review, mutating);
  for (const [key, value] of Object.entries(response.auditAnnotations)) attributes.annotate(`${name}/${key}`, value);
  for (const text of response.warnings) attributes.warn(text);
  return response;
}

/** Throws Timeout when the client has left or has no time left. */
export function checkTime(attributes: AdmissionAttributes): void {
  if (attributes.signal.aborted || attributes.remainingMs() <= 0) throw requestTimeout();
}
