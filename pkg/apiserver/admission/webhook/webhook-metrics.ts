import { Counter, Histogram, type Metrics } from '../../../base/metrics.ts';
import type { Operation } from '../../contract.ts';

export type WebhookType = 'admit' | 'validating';

export interface WebhookObservation {
  readonly name: string;
  readonly operation: Operation;
  readonly seconds: number;
  /** 200, the status of a refusal or of a failed call, or 0 for what has failed here. */
  readonly code: number;
  readonly rejected: boolean;
}

/** Upstream's metrics of webhooks of one type. */
export class WebhookMetrics {
  readonly #type: WebhookType;
  readonly #duration: Histogram;
  readonly #requests: Counter;
  readonly #rejections: Counter;
  readonly #failOpen: Counter;

  constructor(type: WebhookType, instruments: WebhookInstruments) {
    this.#type = type;
    this.#duration = instruments.duration;
    this.#requests = instruments.requests;
    this.#rejections = instruments.rejections;
    this.#failOpen = instruments.failOpen;
  }

  observe({ name, operation, seconds, code, rejected }: WebhookObservation): void {
    const labels = { name, type: this.#type, operation, rejected: String(rejected) };
    this.#duration.observe(labels, seconds);
    this.#requests.inc({ ...labels, code: codeLabel(code) });
  }

  rejected(
    name: string,
    operation: Operation,
    errorType: 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error',
    code: number,
  ): void {
    const labels = { name, type: this.#type, operation, error_type: errorType, rejection_code: codeLabel(code) };
    this.#rejections.inc(labels);
  }

  failedOpen(name: string): void {
    this.#failOpen.inc({ name, type: this.#type });
  }
}

/** Webhooks may answer with any number; upstream's bound keeps the labels few. */
function codeLabel(code: number): string {
  return String(Math.min(code, 600));
}

export interface WebhookInstruments {
  readonly duration: Histogram;
  readonly requests: Counter;
  readonly rejections: Counter;
  readonly failOpen: Counter;
}

export function webhookInstruments(metrics: Metrics): WebhookInstruments {
  const registers = [metrics];
  const labelNames = ['name', 'type', 'operation', 'rejected'];
  return {
    duration: new Histogram({
      name: 'apiserver_admission_webhook_admission_duration_seconds',
      help: 'Time that admission webhooks took.',
      labelNames,
      buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25],
      registers,
    }),
    requests: new Counter({
      name: 'apiserver_admission_webhook_request_total',
      help: 'Calls of admission webhooks by what became of the request.',
      labelNames: [...labelNames, 'code'],
      registers,
    }),
    rejections: new Counter({
      name: 'apiserver_admission_webhook_rejection_count',
      help: 'Requests that admission webhooks refused, or that were refused because a webhook failed.',
      labelNames: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
      registers,
    }),
    failOpen: new Counter({
      name: 'apiserver_admission_webhook_fail_open_count',
      help: 'Failures of admission webhooks that were ignored.',
      labelNames: ['name', 'type'],
      registers,
    }),
  };
}
