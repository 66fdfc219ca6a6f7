import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import { dayMs, dayOf, TRACKING_CONFIG_MAP } from '../../api/legacy-tokens.ts';
import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/client.ts';
import type { ObjectReader } from '../contract.ts';

export interface TokenTrackingDeps {
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps the ConfigMap that says since when the uses of tokens in Secrets are noted. One that is missing, or that says what
 * cannot be, begins today. Upstream: controlplane/controller/legacytokentracking.
 */
export class TokenTracking implements Component {
  readonly name = 'legacy-token-tracking';
  readonly #deps: TokenTrackingDeps;
  #writing = Promise.resolve();

  constructor(deps: TokenTrackingDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { namespace, name } = TRACKING_CONFIG_MAP;
    const stop = this.#deps.reader.onChange(resources.configmaps, ({ metadata }) => {
      if (metadata.name === name && metadata.namespace === namespace) this.#ensureSoon(signal);
    });
    await this.#ensure(signal);
    ready();
    await aborted(signal);
    stop();
    await this.#writing;
  }

  /** One after the other: what was written is seen by the next. */
  #ensureSoon(signal: AbortSignal): void {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#ensure(signal);
      } catch (error) {
        if (!signal.aborted) this.#deps.logger.warn({ err: error }, 'the ConfigMap of token tracking cannot be kept');
      }
    });
  }

  async #ensure(signal: AbortSignal): Promise<void> {
    const { reader, client, clock } = this.#deps;
    const known = reader.get(resources.configmaps, TRACKING_CONFIG_MAP);
    const today = dayOf(clock.now());
    const since = known?.data?.['since'];
    const sinceMs = dayMs(since);
    if (known !== undefined && sinceMs !== undefined && sinceMs <= clock.now()) return;
    const data = { since: today };
    try {
      if (known === undefined) {
        await client.create(resources.configmaps, { metadata: TRACKING_CONFIG_MAP, data }, {}, signal);
      } else if (!equalJSON(known.data, data)) {
        await client.update(resources.configmaps, { ...known, data }, {}, signal);
      }
    } catch (error) {
      // Somebody else has written, which is a change that is looked at.
      if (!isStatusError(error, 'AlreadyExists') && !isStatusError(error, 'Conflict')) throw error;
    }
  }
}
