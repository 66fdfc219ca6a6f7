import { randomUUID } from 'node:crypto';
import { newStatus, StatusError } from '../../api/errors.ts';
import type { WebhookConversion } from '../../api/generated/types.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject, type ResourceType } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { decodeReview, WebhookCallError, type WebhookClient } from '../webhooks/index.ts';
import type { ConversionFailure, ConversionMetrics } from './conversion-metrics.ts';
import { checkedMetadata } from './converted-metadata.ts';

/** The objects of one review are at most so much JSON, or one object. */
const REVIEW_CHARACTERS = 4 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const VERSIONS: readonly string[] = ['v1', 'v1beta1'];

type CustomObject = DeepReadonly<KubeObject>;

export interface ConversionDeps {
  readonly webhooks: WebhookClient;
  readonly metrics: ConversionMetrics;
  readonly clock: Clock;
}

/** Converts custom resources between their versions by asking a webhook. The texts of errors are upstream's. */
export class ConversionWebhook {
  readonly #type: ResourceType;
  readonly #webhook: DeepReadonly<WebhookConversion>;
  readonly #deps: ConversionDeps;

  constructor(type: ResourceType, webhook: DeepReadonly<WebhookConversion>, deps: ConversionDeps) {
    this.#type = type;
    this.#webhook = webhook;
    this.#deps = deps;
  }

  /** The objects in another version, in their order. Throws StatusError. */
  async convert(objects: readonly CustomObject[], version: string): Promise<KubeObject[]> {
    const { clock, metrics } = this.#deps;
    const { group, resource } = this.#type;
    const from = objects[0]?.apiVersion.split('/').at(-1) ?? '';
    const startedMs = clock.monotonic();
    let succeeded = false;
    try {
      const converted = await this.#convertAll(objects, version);
      succeeded = true;
      return converted;
    } finally {
      metrics.converted(`${resource}.${group}`, from, version, succeeded, clock.monotonic() - startedMs);
    }
  }

  async #convertAll(objects: readonly CustomObject[], version: string): Promise<KubeObject[]> {
    const converted: KubeObject[] = [];
    let texts: string[] = [];
    let from = 0;
    let length = 0;
    const flush = async (to: number): Promise<void> => {
      if (texts.length > 0) converted.push(...(await this.#review(objects.slice(from, to), texts, version)));
      texts = [];
      from = to;
      length = 0;
    };
    for (const [i, object] of objects.entries()) {
      const text = JSON.stringify(object);
      if (length + text.length > REVIEW_CHARACTERS) await flush(i);
      texts.push(text);
      length += text.length;
    }
    await flush(objects.length);
    return converted;
  }

  async #review(objects: readonly CustomObject[], texts: readonly string[], version: string): Promise<KubeObject[]> {
    const about = `conversion webhook for ${objects[0]?.apiVersion}, Kind=${objects[0]?.kind}`;
    const { clock, metrics } = this.#deps;
    const startedMs = clock.monotonic();
    let stage: ConversionFailure = 'call';
    try {
      const { text, uid, reviewVersion } = await this.#ask(texts, version);
      stage = 'malformed_response';
      const answers = convertedObjects(text, uid, reviewVersion);
      stage = 'partial_response';
      if (answers.length !== objects.length) {
        throw failure(`${about} returned ${answers.length} objects, expected ${objects.length}`);
      }
      stage = 'invalid_converted_object';
      const checked = objects.map((object, i) => this.#check(object, answers[i], version, about, i));
      stage = '';
      return checked;
    } catch (error) {
      if (!(error instanceof WebhookCallError)) throw error;
      throw failure(`${about} failed: ${error.message}`, error);
    } finally {
      metrics.reviewed(stage, clock.monotonic() - startedMs);
    }
  }

  /** Throws WebhookCallError. */
  async #ask(
    texts: readonly string[],
    version: string,
  ): Promise<{ readonly text: string; readonly uid: string; readonly reviewVersion: string }> {
    const { conversionReviewVersions, clientConfig } = this.#webhook;
    const reviewVersion = conversionReviewVersions.find((one) => VERSIONS.includes(one));
    if (reviewVersion === undefined) throw failure('no supported conversion review versions');
    const uid = randomUUID();
    const desired = apiVersionOf({ group: this.#type.group, version });
    const head = `{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/${reviewVersion}"`;
    const request = `{"uid":"${uid}","desiredAPIVersion":${JSON.stringify(desired)},"objects":[${texts.join(',')}]}`;
    const text = await this.#deps.webhooks.post(clientConfig ?? {}, {
      body: `${head},"request":${request}}`,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    });
    return { text, uid, reviewVersion };
  }

  /** A converted object with the metadata of the original; only labels and annotations may differ. */
  #check(original: CustomObject, answer: unknown, version: string, about: string, index: number): KubeObject {
    const wrong = (text: string): StatusError => failure(`${about} returned invalid object at index ${index}: ${text}`);
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw wrong('not an object');
    const converted = answer as KubeObject;
    const expected = apiVersionOf({ group: this.#type.group, version });
    if (converted.apiVersion !== expected) {
      throw wrong(`invalid groupVersion (expected ${expected}, received ${converted.apiVersion ?? ''})`);
    }
    if (converted.kind !== original.kind) {
      throw wrong(`invalid kind (expected ${original.kind}, received ${converted.kind ?? ''})`);
    }
    const metadata = checkedMetadata(original, converted, about);
    return { ...converted, metadata };
  }
}

/** Throws WebhookCallError. */
function convertedObjects(text: string, uid: string, version: string): readonly unknown[] {
  const review = decodeReview(text);
  const fields = review.response as Readonly<Record<string, unknown>> | null | undefined;
  const expected = 'apiextensions.k8s.io/v1, Kind=ConversionReview';
  const got = `${review.apiVersion}, Kind=${review.kind}`;
  if (version === 'v1' && got !== expected) {
    throw new WebhookCallError(`expected webhook response of ${expected}, got ${got}`);
  }
  if (typeof fields !== 'object' || fields === null) throw new WebhookCallError('no response provided');
  if (version === 'v1' && fields['uid'] !== uid) {
    const given = JSON.stringify(fields['uid'] ?? '');
    throw new WebhookCallError(`expected response.uid=${JSON.stringify(uid)}, got ${given}`);
  }
  const { status, message } = (fields['result'] ?? {}) as { readonly status?: unknown; readonly message?: unknown };
  if (status !== 'Success') {
    if (typeof message === 'string' && message !== '') throw new WebhookCallError(message);
    throw new WebhookCallError(`response.result.status was '${String(status ?? '')}', not 'Success'`);
  }
  const { convertedObjects: objects } = fields;
  return Array.isArray(objects) ? objects : [];
}

/** Upstream passes these on without classifying them. */
function failure(message: string, cause?: unknown): StatusError {
  return new StatusError(newStatus(500, '', message), { cause });
}
