import type { FlowSchema, PriorityLevelConfiguration } from '../../api/generated/types.ts';
import type { UserInfo } from '../../api/user.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { RequestInfo } from '../contract.ts';
import { type BootstrapObject, bootstrapLevels, bootstrapSchemas } from './bootstrap-objects.ts';
import { matchesRequest, rulesForUser } from './rules.ts';

export type Schema = DeepReadonly<FlowSchema>;
export type Level = DeepReadonly<PriorityLevelConfiguration>;

/** How many seats a level has, and what happens when they are taken. */
export interface LevelLimits {
  readonly name: string;
  readonly uid: string;
  /** Its requests never wait. */
  readonly exempt: boolean;
  /** What it has by its shares. */
  readonly nominal: number;
  /** How many of these others may use while it does not. */
  readonly lendable: number;
  /** How many of others' it may use. */
  readonly borrowable: number;
  /** Absent: what finds no seat is refused at once. */
  readonly queuing?: { readonly queues: number; readonly handSize: number; readonly lengthLimit: number };
}

/** The limits of all levels when the server has `seats` in all (upstream's nominal concurrency limits). */
export function levelLimits(levels: readonly Level[], seats: number): LevelLimits[] {
  const sum = levels.reduce((total, level) => total + sharesOf(level), 0);
  return levels.map((level) => {
    const { spec } = level;
    const nominal = sum === 0 ? 0 : Math.ceil((seats * sharesOf(level)) / sum);
    const { lendablePercent = 0 } = spec.limited ?? spec.exempt ?? {};
    const borrowing = spec.limited?.borrowingLimitPercent;
    const queuing = spec.limited?.limitResponse?.type === 'Queue' ? spec.limited.limitResponse.queuing : undefined;
    return {
      name: level.metadata.name,
      uid: level.metadata.uid,
      exempt: spec.type === 'Exempt',
      nominal,
      lendable: Math.round((nominal * lendablePercent) / 100),
      borrowable: borrowing === undefined ? Number.POSITIVE_INFINITY : Math.round((nominal * borrowing) / 100),
      ...(queuing === undefined ? {} : { queuing: queuingOf(queuing) }),
    };
  });
}

function queuingOf(queuing: {
  readonly queues?: number;
  readonly handSize?: number;
  readonly queueLengthLimit?: number;
}) {
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = queuing;
  return { queues, handSize, lengthLimit: queueLengthLimit };
}

function sharesOf({ spec }: Level): number {
  return (spec.limited ?? spec.exempt)?.nominalConcurrencyShares ?? 0;
}

/** What is served: the stored objects, and the mandatory ones even where they are missing. */
export function effectiveObjects(
  schemas: Iterable<Schema>,
  levels: Iterable<Level>,
): { readonly schemas: Schema[]; readonly levels: Level[] } {
  return {
    schemas: withMandatory([...schemas], bootstrapSchemas, (one) => one as unknown as Schema),
    levels: withMandatory([...levels], bootstrapLevels, (one) => one as unknown as Level),
  };
}

function withMandatory<T extends { readonly metadata: { readonly name: string } }>(
  stored: T[],
  bootstrap: readonly BootstrapObject<unknown>[],
  form: (object: { metadata: { name: string; uid: string }; spec: unknown }) => T,
): T[] {
  for (const { name, mandatory, spec } of bootstrap) {
    if (!mandatory || stored.some(({ metadata }) => metadata.name === name)) continue;
    stored.push(form({ metadata: { name, uid: '' }, spec }));
  }
  return stored;
}

/** Finds the schema of a request: the first that matches by precedence, then by name. */
export class SchemaMatcher {
  readonly #schemas: readonly Schema[];
  /** The schemas that can match a user, by the user object: those of a connection or token are the same every time. */
  readonly #ofUser = new WeakMap<
    UserInfo,
    { readonly schema: Schema; readonly rules: ReturnType<typeof rulesForUser> }[]
  >();

  /** Schemas of levels that are not there match nothing. */
  constructor(schemas: readonly Schema[], levels: readonly Level[]) {
    const names = new Set(levels.map(({ metadata }) => metadata.name));
    this.#schemas = schemas
      .filter(({ spec }) => names.has(spec.priorityLevelConfiguration.name))
      .sort(
        (a, b) =>
          (a.spec.matchingPrecedence ?? 0) - (b.spec.matchingPrecedence ?? 0) ||
          (a.metadata.name < b.metadata.name ? -1 : 1),
      );
  }

  match(info: RequestInfo, user: UserInfo): Schema | undefined {
    let candidates = this.#ofUser.get(user);
    if (candidates === undefined) {
      candidates = this.#schemas
        .map((schema) => ({ schema, rules: rulesForUser(schema, user) }))
        .filter(({ rules }) => rules.length > 0);
      this.#ofUser.set(user, candidates);
    }
    return candidates.find(({ rules }) => matchesRequest(rules, info))?.schema;
  }
}

/** What tells the flows of a schema apart. */
export function distinguisherOf(schema: Schema, info: RequestInfo, user: UserInfo): string {
  switch (schema.spec.distinguisherMethod?.type) {
    case 'ByUser':
      return user.username;
    case 'ByNamespace':
      return info.namespace;
    default:
      return '';
  }
}
