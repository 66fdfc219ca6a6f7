import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { difference } from './compare.ts';
import type { Call, Connection, Reply } from './connection.ts';
import { outcomeOf } from './outcome.ts';
import type { Scenario, Step } from './recording.ts';
import { isObject, parsed, substitute, type Variables, valueAt } from './variables.ts';

const EVENTUALLY_MS = 8000;
const POLL_MS = 50;
const MERGE_PATCH = 'application/merge-patch+json';

export interface Result {
  readonly scenario: Scenario;
  /** The first difference; undefined when the scenario passed. */
  readonly failure: string | undefined;
  /** That of the play before, when there was one. */
  readonly earlier?: string | undefined;
  readonly durationMs: number;
}

/**
 * Plays all scenarios, those that change the whole cluster at the end and alone. What fails without being known to is played once
 * more, alone: on a busy machine a watch may be over before all has come.
 */
export async function playAll(
  connection: Connection,
  scenarios: readonly Scenario[],
  concurrency: number,
  isKnown: (name: string) => boolean,
): Promise<Result[]> {
  const run = randomBytes(3).toString('hex');
  const results: Result[] = [];
  let next = 0;
  const play = async (scenario: Scenario, earlier?: string): Promise<void> => {
    const began = performance.now();
    const failure = await playScenario(connection, scenario, `r${run}${(next++).toString(36).padStart(3, '0')}`);
    results.push({ scenario, failure, earlier, durationMs: performance.now() - began });
  };
  const queue = scenarios.filter(({ serial }) => serial !== true);
  const workers = Array.from({ length: concurrency }, async () => {
    for (let scenario = queue.shift(); scenario !== undefined; scenario = queue.shift()) await play(scenario);
  });
  await Promise.all(workers);
  for (const scenario of scenarios) if (scenario.serial === true) await play(scenario);
  for (const result of results.filter(({ scenario, failure }) => failure !== undefined && !isKnown(scenario.name))) {
    results.splice(results.indexOf(result), 1);
    await play(result.scenario, result.failure);
  }
  return results;
}

async function playScenario(connection: Connection, scenario: Scenario, ns: string): Promise<string | undefined> {
  const session = new Session(connection, { ns });
  try {
    if (scenario.ns) await session.createNamespace(scenario.nsLabels ?? {});
    for (const [i, step] of scenario.steps.entries()) {
      const failure = await session.play(step);
      if (failure !== undefined) return `step ${i + 1} ${step.request.method} ${step.request.path}: ${failure}`;
    }
    return undefined;
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await session.cleanUp(scenario);
  }
}

/** One scenario in its own namespace, which is also the prefix of what it makes outside of namespaces. */
class Session {
  readonly #connection: Connection;
  readonly #variables: Variables;
  /** Paths of objects outside of the namespace. */
  readonly #created = new Set<string>();

  constructor(connection: Connection, variables: Variables) {
    this.#connection = connection;
    this.#variables = variables;
  }

  get #namespace(): string {
    return String(this.#variables['ns']);
  }

  async createNamespace(labels: Readonly<Record<string, string>>): Promise<void> {
    const name = this.#namespace;
    const metadata = { name, labels: substitute(labels, this.#variables) };
    const reply = await this.#connection.send('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata,
    });
    if (reply.status !== 201) throw new Error(`creating the namespace: ${reply.status} ${reply.text}`);
    // Its controller makes it as well: whoever is first.
    await this.#connection.send('POST', `/api/v1/namespaces/${name}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    });
  }

  async play(step: Step): Promise<string | undefined> {
    if (step.wait !== undefined) await sleep(step.wait);
    let reply = await this.#perform(step);
    const until = performance.now() + (step.within ?? EVENTUALLY_MS);
    while (!this.#isAwaited(step, reply) && performance.now() < until) {
      await sleep(POLL_MS);
      reply = await this.#perform(step);
    }
    this.#capture(step, reply);
    return difference(step.expect, outcomeOf(step, reply, this.#variables));
  }

  #isAwaited({ eventually, eventuallyHas }: Step, { status, text }: Reply): boolean {
    if (eventually === undefined) return true;
    return (
      status === eventually &&
      (eventuallyHas === undefined || text.includes(substitute(eventuallyHas, this.#variables)))
    );
  }

  async #perform(step: Step): Promise<Reply> {
    const call = this.#callOf(step);
    if (step.watch !== undefined) {
      const { n = 1, ms = 3000, settle = 150 } = step.watch;
      const during = step.during;
      return this.#connection.watch(
        call,
        { count: n, limitMs: ms, settleMs: settle },
        during &&
          (async (add) => {
            await sleep(50);
            for (const other of during) {
              const reply = await this.#perform(other);
              this.#capture(other, reply);
              if (reply.status < 400) continue;
              const name = `${other.request.method} ${reply.status}`;
              add({ type: 'FAILED-MEANWHILE', object: { metadata: { name } } });
            }
          }),
      );
    }
    const reply = await this.#connection.call(call);
    this.#remember(call, reply);
    return reply;
  }

  #callOf({ request }: Step): Call {
    const variables = this.#variables;
    const { raw, body, ct } = request;
    const text =
      raw !== undefined
        ? substitute(raw, variables)
        : body !== undefined
          ? JSON.stringify(substitute(body, variables))
          : undefined;
    const headers: Record<string, string | readonly string[]> = { Accept: request.accept ?? 'application/json' };
    if (ct !== 'none' && (text !== undefined || ct !== undefined)) headers['Content-Type'] = ct ?? 'application/json';
    Object.assign(headers, substitute(request.headers ?? {}, variables));
    if (request.as !== undefined) {
      const { user, groups, uid, extra = {} } = substitute(request.as, variables);
      headers['Impersonate-User'] = user;
      if (groups !== undefined) headers['Impersonate-Group'] = groups;
      if (uid !== undefined) headers['Impersonate-Uid'] = uid;
      for (const [key, value] of Object.entries(extra)) headers[`Impersonate-Extra-${key}`] = value;
    }
    return {
      method: request.method,
      path: substitute(request.path, variables).replaceAll(' ', '%20'),
      headers,
      body: text,
      token: substitute(request.token, variables),
    };
  }

  #capture({ capture }: Step, { text }: Reply): void {
    if (capture === undefined) return;
    const body = parsed(text);
    for (const [name, path] of Object.entries(capture)) {
      const value = valueAt(body, path);
      if (value === undefined) continue;
      this.#variables[name] = typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
    }
  }

  #remember({ method, path }: Call, { status, text }: Reply): void {
    const [base = '', query = ''] = path.split('?');
    if (!['POST', 'PATCH', 'PUT'].includes(method) || status > 201 || query.includes('dryRun')) return;
    if (base.includes(`/namespaces/${this.#namespace}/`)) return;
    const body = parsed(text);
    if (!isObject(body) || !valueAt(body, 'metadata.uid')) return;
    const item = method === 'POST' ? `${base}/${valueAt(body, 'metadata.name')}` : base;
    if (!/\/(status|scale|finalize|approval|token|binding|eviction)$/.test(item)) this.#created.add(item);
  }

  async cleanUp({ cleanup = [], ns }: Scenario): Promise<void> {
    for (const { method = 'DELETE', path, body } of substitute(cleanup, this.#variables)) {
      await this.#connection.send(method, path, body, body === undefined ? undefined : MERGE_PATCH);
    }
    for (const item of [...this.#created].reverse()) {
      const reply = await this.#connection.send('DELETE', item, { gracePeriodSeconds: 0 });
      if (reply.status >= 300 || !reply.text.includes('"finalizers"')) continue;
      if (!/^\/api\/v1\/namespaces\/[^/]+$/.test(item)) {
        await this.#connection.send('PATCH', item, { metadata: { finalizers: null } }, MERGE_PATCH);
      }
    }
    if (!ns) return;
    // Pods name a scheduler that does not exist: no kubelet will end them.
    const namespace = `/api/v1/namespaces/${this.#namespace}`;
    await this.#connection.send('DELETE', `${namespace}/pods`, { gracePeriodSeconds: 0 });
    await this.#connection.send('DELETE', namespace);
  }
}
