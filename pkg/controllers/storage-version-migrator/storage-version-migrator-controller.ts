import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Condition, StorageVersionMigration } from '../../api/generated/types.ts';
import type { DeepReadonly, ResourceType } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { discover } from '../discover.ts';

const TYPE = resources.storageversionmigrations;
const PAGE = 500;
/** A definition that has just been made may not be served yet. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 1000;

type Migration = DeepReadonly<StorageVersionMigration>;
type ConditionType = 'Running' | 'Succeeded' | 'Failed';

const REASONS: Readonly<Record<ConditionType, string>> = {
  Running: 'StorageVersionMigrationInProgress',
  Succeeded: 'StorageVersionMigrationSucceeded',
  Failed: 'StorageVersionMigrationFailed',
};

export interface MigratorDeps {
  readonly client: Client;
  readonly migrations: Lister<StorageVersionMigration>;
  readonly clock: Clock;
}

/** Writes all objects of a resource anew, so that they are stored in its storage version (StorageVersionMigration). */
export function newStorageVersionMigratorController(deps: ControllerCommonDeps): Component {
  const migrations = deps.informers.for(TYPE);
  return new Controller(
    {
      name: 'storage-version-migrator-controller',
      sources: [fromInformer(migrations, { map: ({ metadata }) => [{ namespace: '', name: metadata.name }] })],
      reconciler: new StorageVersionMigrator({ ...deps, migrations: migrations.lister }),
    },
    deps,
  );
}

export class StorageVersionMigrator implements Reconciler {
  readonly #deps: MigratorDeps;

  constructor(deps: MigratorDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request, signal: AbortSignal): Promise<ReconcileResult> {
    const { client, migrations, clock } = this.#deps;
    const migration = migrations.get(name);
    if (migration === undefined || isOver(migration)) return undefined;
    const type = await this.#find(migration, signal);
    if (type === undefined) {
      const madeMs = Date.parse(migration.metadata.creationTimestamp ?? '');
      if (clock.now() < madeMs + PATIENCE_MS) return { requeueAfterMs: RETRY_MS };
      await this.#report(migration, 'Failed', 'resource not found');
      return undefined;
    }
    const { metadata } = await client.list(type, { limit: 1 }, signal);
    const version = migration.status?.resourceVersion ?? metadata.resourceVersion ?? '';
    const running = await this.#report(migration, 'Running', '', version);
    try {
      await this.#rewriteAll(type, signal);
    } catch (error) {
      if (signal.aborted || !isStatusError(error)) throw error;
      await this.#report(running, 'Failed', 'migration encountered unhandled error');
      return undefined;
    }
    await this.#report(running, 'Succeeded', '');
    return undefined;
  }

  async #find({ spec }: Migration, signal: AbortSignal): Promise<ResourceType | undefined> {
    const { group = '', resource } = spec.resource;
    const found = await discover(this.#deps.client, signal);
    return found.resources.find(({ type }) => type.group === group && type.resource === resource)?.type;
  }

  async #rewriteAll(type: ResourceType, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    let page: string | undefined;
    do {
      const query = page === undefined ? { limit: PAGE } : { limit: PAGE, continue: page };
      const list = await client.list(type, query, signal);
      for (const { metadata } of list.items) {
        const { name, namespace, uid, resourceVersion } = metadata;
        const key = namespace === undefined ? { name } : { namespace, name };
        try {
          // Changes nothing but how the object is stored.
          await client.patch(type, key, 'merge', { metadata: { uid, resourceVersion } }, {}, signal);
        } catch (error) {
          // Whoever wrote or deleted it in between has done what there was to do.
          if (!isStatusError(error, 'Conflict') && !isStatusError(error, 'NotFound')) throw error;
        }
      }
      page = list.metadata.continue || undefined;
    } while (page !== undefined);
  }

  async #report(
    migration: Migration,
    type: ConditionType,
    message: string,
    resourceVersion = migration.status?.resourceVersion,
  ): Promise<Migration> {
    const { client, clock } = this.#deps;
    const conditions = withCondition(migration.status?.conditions ?? [], type, message, clock.now());
    const status = { ...(resourceVersion === undefined ? {} : { resourceVersion }), conditions };
    return client.updateStatus(TYPE, { ...migration, status } as Migration);
  }
}

function isOver({ status }: Migration): boolean {
  return (
    status?.conditions?.some(
      ({ type, status: value }) => (type === 'Succeeded' || type === 'Failed') && value === 'True',
    ) === true
  );
}

/** A migration that is over does not run any more. */
export function withCondition(
  conditions: DeepReadonly<Condition[]>,
  type: ConditionType,
  message: string,
  nowMs: number,
): Condition[] {
  const lastTransitionTime = formatTime(nowMs);
  const kept = conditions
    .filter((condition) => condition.type !== type)
    .map((condition) =>
      type !== 'Running' && condition.type === 'Running' && condition.status === 'True'
        ? { ...condition, status: 'False', lastTransitionTime }
        : { ...condition },
    );
  return [...kept, { type, status: 'True', reason: REASONS[type], message, lastTransitionTime }];
}
