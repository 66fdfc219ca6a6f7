import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Client, Informers } from '../client/client.ts';
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts';
import type { ControllerMetrics } from '../controller/controller-metrics.ts';

/** What every controller gets. */
export interface ControllerCommonDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  readonly metrics?: ControllerMetrics;
}

export function recorderFor(component: string, deps: ControllerCommonDeps): EventRecorder {
  return createEventRecorder({ component }, deps);
}
