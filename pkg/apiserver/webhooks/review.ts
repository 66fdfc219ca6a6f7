import { parseExact } from '../../base/integers.ts';
import { WebhookCallError } from './webhook-client.ts';

/** A review as a webhook sent it: only its outermost shape is known. */
export interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly response: unknown;
}

const SHOWN = 512;

/** Reads the answer of a webhook. Throws WebhookCallError for what is no object with a kind. */
export function decodeReview(text: string): Review {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new WebhookCallError(`couldn't get version/kind; json parse error: ${cause}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WebhookCallError("couldn't get version/kind; json parse error: the answer is no object");
  }
  const { apiVersion, kind, response } = value as Readonly<Record<string, unknown>>;
  if (typeof kind !== 'string' || kind === '') {
    throw new WebhookCallError(`Object 'Kind' is missing in '${text.slice(0, SHOWN)}'`);
  }
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    throw new WebhookCallError(`Object 'apiVersion' is missing in '${text.slice(0, SHOWN)}'`);
  }
  return { apiVersion, kind, response };
}
