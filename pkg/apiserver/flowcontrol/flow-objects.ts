import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from '../../api/generated/types.ts';
import type { DeepReadonly, Draft, ResourceType } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import { aborted } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/client.ts';
import type { ObjectReader } from '../contract.ts';
import { AUTOUPDATE, type BootstrapObject, bootstrapLevels, bootstrapSchemas, EXEMPT } from './bootstrap-objects.ts';

export interface FlowObjectsDeps {
  readonly reader: ObjectReader;
  /** Of a user in system:masters. */
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Stored<T> = DeepReadonly<T>;

/**
 * Keeps the bootstrap objects (at the start and when one changes) and the `Dangling` condition of all FlowSchemas. Upstream: the
 * priority-and-fairness-config-producer post-start hook and the config consumer's status writes.
 */
export class FlowObjects implements Component {
  readonly name = 'flow-objects';
  readonly #deps: FlowObjectsDeps;
  #wake: () => void = () => {};

  constructor(deps: FlowObjectsDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { reader, logger, clock } = this.#deps;
    let changed = true;
    const onChange = (): void => {
      changed = true;
      this.#wake();
    };
    const stops = [
      reader.onChange(resources.flowschemas, onChange),
      reader.onChange(resources.prioritylevelconfigurations, onChange),
    ];
    const stopped = aborted(signal);
    try {
      await this.#ensureAll(signal);
      ready();
      while (!signal.aborted) {
        if (changed) {
          changed = false;
          try {
            await this.#ensureAll(signal);
            await this.#markDangling(signal);
          } catch (error) {
            if (signal.aborted) return;
            logger.warn({ err: error }, 'flow control objects could not be brought up to date');
            changed = true;
            await clock.sleep(RETRY_MS, signal);
          }
          continue;
        }
        const woken = Promise.withResolvers<void>();
        this.#wake = woken.resolve;
        await Promise.race([stopped, woken.promise]);
      }
    } finally {
      for (const stop of stops) stop();
    }
  }

  async #ensureAll(signal: AbortSignal): Promise<void> {
    const { prioritylevelconfigurations, flowschemas } = resources;
    for (const object of bootstrapLevels) await this.#ensure(prioritylevelconfigurations, object, signal);
    for (const object of bootstrapSchemas) await this.#ensure(flowschemas, object, signal);
    await this.#removeForeign(flowschemas, bootstrapSchemas, signal);
    await this.#removeForeign(prioritylevelconfigurations, bootstrapLevels, signal);
  }

  /** What claims to be the server's but is not (any more) goes. */
  async #removeForeign<T extends FlowSchema | PriorityLevelConfiguration>(
    type: ResourceType<T>,
    ours: readonly { readonly name: string }[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const { metadata } of [...this.#deps.reader.list<FlowSchema | PriorityLevelConfiguration>(type)]) {
      if (metadata.annotations?.[AUTOUPDATE] !== 'true' || ours.some(({ name }) => name === metadata.name)) continue;
      try {
        await this.#deps.client.delete(type, { name: metadata.name }, {}, signal);
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
  }

  async #ensure<T extends FlowSchema | PriorityLevelConfiguration>(
    type: ResourceType<T>,
    wanted: BootstrapObject<T['spec']>,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, reader } = this.#deps;
    const present = reader.get(type, { name: wanted.name }) as
      | Stored<FlowSchema | PriorityLevelConfiguration>
      | undefined;
    const metadata = { name: wanted.name, annotations: { [AUTOUPDATE]: 'true' } };
    try {
      if (present === undefined) {
        await client.create(type, { metadata, spec: wanted.spec } as unknown as Draft<T>, {}, signal);
        return;
      }
      const change = changeOf(present, wanted);
      if (change !== undefined) await client.update(type, change as unknown as Draft<T>, {}, signal);
    } catch (error) {
      // Somebody else was there first: that change comes here too.
      if (!isStatusError(error, 'AlreadyExists') && !isStatusError(error, 'Conflict')) throw error;
    }
  }

  async #markDangling(signal: AbortSignal): Promise<void> {
    const { client, reader, clock } = this.#deps;
    for (const schema of [...reader.list(resources.flowschemas)]) {
      const { name } = schema.spec.priorityLevelConfiguration;
      const exists = reader.get(resources.prioritylevelconfigurations, { name }) !== undefined;
      const wanted = danglingCondition(name, exists);
      const present = schema.status?.conditions?.find(({ type }) => type === 'Dangling');
      if (present !== undefined && present.status === wanted.status && present.message === wanted.message) continue;
      const unchanged = present?.status === wanted.status ? present?.lastTransitionTime : undefined;
      const condition = { ...wanted, lastTransitionTime: unchanged ?? formatTime(clock.now()) };
      const patch = { status: { conditions: [condition] } };
      try {
        await client.patch(
          resources.flowschemas,
          { name: schema.metadata.name },
          'strategic',
          patch,
          { subresource: 'status' },
          signal,
        );
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
  }
}

const RETRY_MS = 5000;

/**
 * The object as it should be; undefined: it is. Mandatory ones always have the server's spec; suggested ones while they are
 * annotated so, or while nobody has written to them (generation 1) and they are not annotated. How much the exempt level may
 * lend is the user's choice.
 */
export function changeOf<Spec>(
  present: { readonly metadata: DeepReadonly<FlowSchema['metadata']>; readonly spec: object },
  wanted: BootstrapObject<Spec>,
): unknown {
  const { metadata } = present;
  const annotation = metadata.annotations?.[AUTOUPDATE];
  const chosen = annotation === 'true' || annotation === 'false';
  const auto = wanted.mandatory || (chosen ? annotation === 'true' : metadata.generation === 1);
  const lending = wanted.name === EXEMPT && 'exempt' in present.spec ? { exempt: present.spec.exempt } : {};
  const spec = { ...wanted.spec, ...lending };
  const outdated = auto && !equalJSON(present.spec, spec);
  if (annotation === String(auto) && !outdated) return undefined;
  const annotations = { ...metadata.annotations, [AUTOUPDATE]: String(auto) };
  return { ...present, metadata: { ...metadata, annotations }, spec: outdated ? spec : present.spec };
}

/** Upstream's Dangling condition. */
function danglingCondition(level: string, exists: boolean): FlowSchemaCondition {
  const found = `This FlowSchema references the PriorityLevelConfiguration object named "${level}" and it exists`;
  const missing = `This FlowSchema references the PriorityLevelConfiguration object named "${level}" but there is no such object`;
  return {
    type: 'Dangling',
    status: exists ? 'False' : 'True',
    reason: exists ? 'Found' : 'NotFound',
    message: exists ? found : missing,
  };
}
