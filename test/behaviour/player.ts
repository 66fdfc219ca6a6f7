import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../pkg/client/index.ts';
import type { Connection } from '../recordings/connection.ts';
import { type Finding, findings } from './compare.ts';
import { kindOf, pathOf } from './kinds.ts';
import { Normalizer, namePattern } from './names.ts';
import { type Observed, Observer } from './observer.ts';
import type { JSONObject, Scenario, Step } from './scenario.ts';
import { checkOf } from './until.ts';

export interface Target {
  readonly client: Client;
  readonly connection: Connection;
  /** In the order of node-1, node-2. */
  readonly nodes: readonly string[];
  /** A node's request for a client certificate, in base64. */
  readonly certificateRequest: string;
  /** Stops (`NODE2_STOP`) or starts (`NODE2_START`) the kubelet of the second node. */
  hook(name: string): Promise<void>;
  kubectl(
    args: readonly string[],
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
}

export interface Result {
  readonly scenario: Scenario;
  readonly findings: readonly Finding[];
}

/** How the names of the namespaces begin in which scenarios are played. */
export const RUN_PREFIX = 'b-';

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const;
const WAIT_MS = 120_000;
/** How long what follows the last step may take; extra events and states come within. */
const SETTLE_MS = 1_500;
/** How long it may take on a busy machine, when something is missing then. */
const LATE_MS = 15_000;
const LOOK_MS = 500;

export interface PlayOptions {
  /** How many at once. */
  readonly concurrency: number;
  /** Whether what was found is a difference that counts. */
  readonly isDifferent: (result: Result) => boolean;
  /** Is told of each result as soon as it is known. */
  readonly played: (result: Result) => void;
}

/** Plays the scenarios and says what differs. */
export async function playAll(
  target: Target,
  scenarios: readonly Scenario[],
  { concurrency, isDifferent, played }: PlayOptions,
): Promise<Result[]> {
  const queue = [...scenarios].sort((a, b) => b.elapsedSeconds - a.elapsedSeconds);
  const results: Result[] = [];
  const lane = async (): Promise<void> => {
    for (let scenario = queue.shift(); scenario !== undefined; scenario = queue.shift()) {
      const result = await play(target, scenario, isDifferent);
      played(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return results;
}

export async function play(
  target: Target,
  scenario: Scenario,
  isDifferent: (result: Result) => boolean,
): Promise<Result> {
  const run = new Run(target, scenario);
  const found: Finding[] = [];
  try {
    found.push(...(await run.play((candidates) => isDifferent({ scenario, findings: candidates }))));
  } catch (error) {
    found.push({ what: 'script', problem: String(error) });
  }
  try {
    await run.end();
  } catch (error) {
    found.push({ what: 'script', problem: `at its end: ${error}` });
  }
  return { scenario, findings: found };
}

/** One scenario under way in a namespace of its own. */
class Run {
  readonly observer: Observer;
  readonly #target: Target;
  readonly #scenario: Scenario;
  readonly #namespace: string;
  readonly #names = new Map<string, string>();
  readonly #clusterObjects: string[] = [];
  /** A node port of those that are given only to who asks for them: others may be taken. */
  readonly #freePort = 30_000 + randomInt(86);
  #port = this.#freePort;
  #isNodeStopped = false;

  constructor(target: Target, scenario: Scenario) {
    this.#target = target;
    this.#scenario = scenario;
    this.#namespace = `${RUN_PREFIX}${scenario.name.slice(0, 30).replace(/-+$/, '')}-${randomInt(36 ** 4).toString(36)}`;
    this.observer = new Observer(target.client, this.#namespace);
  }

  /** Does all steps; what differs from the recording then, and what still does a while later. */
  async play(isDifferent: (findings: readonly Finding[]) => boolean): Promise<Finding[]> {
    await this.#start();
    const problems: Finding[] = [];
    for (const [i, step] of this.#scenario.steps.entries()) {
      const problem = await this.step(step);
      if (problem !== undefined) problems.push({ what: `step ${i} ${step.action}`, problem });
    }
    await sleep(SETTLE_MS);
    const normalizer = new Normalizer({ namespace: this.#namespace, nodes: this.#target.nodes });
    const deadline = Date.now() + LATE_MS;
    for (;;) {
      const compared = findings(this.#scenario, this.observer, normalizer, (key) => this.nameOf(key));
      const all = [...problems, ...compared];
      if (problems.length > 0 || !isDifferent(all) || Date.now() > deadline) return all;
      await sleep(LOOK_MS);
    }
  }

  async #start(): Promise<void> {
    const { connection } = this.#target;
    const makesNamespace = !this.#scenario.steps.some(({ manifest }) => manifest?.['kind'] === 'Namespace');
    if (makesNamespace) {
      await connection.send('POST', '/api/v1/namespaces', { metadata: { name: this.#namespace } });
    }
    this.observer.start();
    if (makesNamespace) {
      const isFurnished = checkOf('default ServiceAccount and kube-root-ca.crt', (name) => name);
      await this.observer.until(() => isFurnished(this.observer), WAIT_MS);
    }
  }

  async end(): Promise<void> {
    const { connection } = this.#target;
    if (this.#isNodeStopped) await this.#hook('NODE2_START');
    for (const path of this.#clusterObjects) await connection.send('DELETE', path);
    await connection.send('DELETE', `/api/v1/namespaces/${this.#namespace}`);
    for (const { metadata } of this.observer.list('Pod')) {
      if (metadata['finalizers'] !== undefined) {
        const path = pathOf(kindOf('Pod'), this.#namespace, metadata.name);
        await connection.send('PATCH', path, { metadata: { finalizers: null } }, PATCH_TYPES.merge);
      }
    }
    await this.observer.close();
  }

  /** The name here of what the recording calls `Kind/name`: generated names are given to the objects in order. */
  nameOf(key: string): string {
    const slash = key.indexOf('/');
    const [kind, recorded] = [key.slice(0, slash), key.slice(slash + 1)];
    if (recorded === '<namespace>') return this.#namespace;
    if (/^node-[12]$/.test(recorded)) return this.#target.nodes[Number(recorded.at(-1)) - 1] ?? recorded;
    if (!/<\w+-\d+>/.test(recorded)) return recorded.replaceAll('<namespace>', this.#namespace);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const pattern = namePattern(recorded);
    const run = /^[^<]*<minute-(\d+)>$/.exec(recorded);
    // A CronJob's runs may be made without being asked for.
    if (run !== null) {
      return this.observer.names(kind).filter((name) => pattern.test(name))[Number(run[1]) - 1] ?? recorded;
    }
    const used = new Set(this.#names.values());
    const found = this.observer.names(kind).find((name) => pattern.test(name) && !used.has(name));
    if (found === undefined) return recorded;
    this.#names.set(key, found);
    return found;
  }

  /** Does a step; returns what was different from the recording. */
  async step(step: Step): Promise<string | undefined> {
    switch (step.action) {
      case 'sleep':
        await sleep((step.seconds ?? 0) * 1000);
        return undefined;
      case 'wait':
        return this.#wait(step);
      case 'hook':
        await this.#hook(step.hook ?? '');
        return undefined;
      case 'kubectl':
        return this.#kubectl(step);
      default:
        return this.#request(step);
    }
  }

  async #hook(name: string): Promise<void> {
    await this.#target.hook(name);
    this.#isNodeStopped = name === 'NODE2_STOP';
  }

  async #wait({ until = '', reached }: Step): Promise<string | undefined> {
    const check = checkOf(until, (key) => this.nameOf(key));
    const came = await this.observer.until(() => check(this.observer), WAIT_MS);
    return came === reached ? undefined : `"${until}" ${came ? 'came' : 'did not come'} true`;
  }

  async #kubectl({ args = [] }: Step): Promise<undefined> {
    const real = args.map((arg) =>
      arg
        .replaceAll('<namespace>', this.#namespace)
        .replace(/^(\S+\/)?(\S*<\w+-\d+>\S*)$/, (_, prefix = '', name: string) => `${prefix}${this.#anyName(name)}`)
        .replace(/^node-[12]$/, (name) => this.nameOf(`Node/${name}`)),
    );
    await this.#target.kubectl(['-n', this.#namespace, ...real]);
    return undefined;
  }

  /** kubectl's arguments do not say the kind. */
  #anyName(recorded: string): string {
    for (const kind of ['Pod', 'Job', 'ReplicaSet']) {
      const found = this.nameOf(`${kind}/${recorded}`);
      if (found !== recorded) return found;
    }
    // A name that is yet to be made, in the form of those that are generated.
    return recorded.replace(/<\w+-(\d+)>/g, '1000000$1');
  }

  async #request(step: Step): Promise<string | undefined> {
    const { connection } = this.#target;
    const wanted = step.response?.code;
    this.#port = /not in the valid range/.test(step.response?.message ?? '') ? 80 : this.#freePort;
    let code: number;
    let text: string;
    if (step.action === 'create') {
      const manifest = this.#real(step.manifest ?? {}) as Observed;
      const kind = kindOf(String(manifest['kind']));
      const path = pathOf(kind, this.#namespace, '');
      if (!kind.namespaced && kind.kind !== 'Namespace') {
        this.#clusterObjects.push(pathOf(kind, '', manifest.metadata.name));
      }
      ({ status: code, text } = await connection.send('POST', path, manifest));
    } else if (step.object !== undefined) {
      const kindName = step.object.slice(0, step.object.indexOf('/'));
      const base = pathOf(kindOf(kindName), this.#namespace, this.nameOf(step.object));
      const path = step.subresource === undefined ? base : `${base}/${step.subresource}`;
      ({ status: code, text } = await this.#send(step, path));
    } else {
      const node = /^patch (node-\d) status: capacity (\S+)=(\d+)$/.exec(step.action);
      if (node === null) throw new Error(`no action "${step.action}"`);
      const [, name = '', resource = '', amount] = node;
      const path = `${pathOf(kindOf('Node'), '', this.nameOf(`Node/${name}`))}/status`;
      const patch = { status: { capacity: { [resource]: amount } } };
      ({ status: code, text } = await connection.send('PATCH', path, patch, PATCH_TYPES.strategic));
    }
    if (code < 300) await this.observer.caughtUpWith(JSON.parse(text) as JSONObject, WAIT_MS);
    return wanted === undefined || wanted === code
      ? undefined
      : `answered ${code} instead of ${wanted}: ${text.slice(0, 300)}`;
  }

  #send(step: Step, path: string): Promise<{ status: number; text: string }> {
    const { connection } = this.#target;
    switch (step.action) {
      case 'patch':
        return connection.send('PATCH', path, this.#real(step.patch), PATCH_TYPES[step.patchType ?? 'merge']);
      case 'delete':
        return connection.send('DELETE', path, step.options);
      case 'post':
        return connection.send('POST', path, this.#real(step.body));
      default:
        throw new Error(`no action "${step.action}"`);
    }
  }

  /** Recorded values with the names of this run. */
  #real(value: unknown): unknown {
    if (typeof value === 'string') {
      if (value === '<nodePort>') return this.#port;
      if (value === '<long-value>') return this.#target.certificateRequest;
      const node = /^node-[12]$/.test(value) ? this.nameOf(`Node/${value}`) : value;
      return /<\w+-\d+>/.test(node) ? this.#anyName(node) : node.replaceAll('<namespace>', this.#namespace);
    }
    if (Array.isArray(value)) return value.map((item) => this.#real(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value as JSONObject).map(([key, member]) => [
        key.replaceAll('<namespace>', this.#namespace),
        key in ADDRESSES ? realAddresses(ADDRESSES[key] ?? 0, member as readonly JSONObject[]) : this.#real(member),
      ]),
    );
  }
}

/** The addresses of Endpoints are the same ones in every step: these lists' first ones. */
const ADDRESSES: Readonly<Record<string, number>> = { addresses: 1, notReadyAddresses: 101 };

function realAddresses(first: number, list: readonly JSONObject[]): JSONObject[] {
  return list.map((entry, i) => (entry['ip'] === '<ip>' ? { ...entry, ip: `192.0.2.${first + i}` } : entry));
}
