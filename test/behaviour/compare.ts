import { isNewerField } from '../recordings/newer-fields.ts';
import { mapTexts, type Normalizer, namePattern, recordedText } from './names.ts';
import { isNewerKey, newerText, withoutNewerParts } from './newer-versions.ts';
import type { Observed, Observer } from './observer.ts';
import { projections, stable } from './projections.ts';
import { generatedNames } from './replacements.ts';
import type { JSONObject, RecordedEvent, Scenario, State } from './scenario.ts';

/** A difference between what upstream did and what happened here. */
export interface Finding {
  readonly what: string;
  readonly problem: string;
}

/** What a busy machine and concurrent writers do to upstream. */
const LOAD = /failed to sync configmap cache|the object has been modified; please apply your changes/;

type Text = (text: string) => string;

/** Compares events, the states that objects went through, and whole objects. */
export function findings(
  scenario: Scenario,
  observer: Observer,
  normalizer: Normalizer,
  nameOf: (key: string) => string,
): Finding[] {
  const generated = generatedNames(observer);
  const text: Text = (given) =>
    newerText(
      normalizer.text(generated.reduce((rest, [name, placeholder]) => rest.replaceAll(name, placeholder), given)),
    );
  return [
    ...eventFindings(scenario, observer, text),
    ...scenario.watched.flatMap(({ kind, name, states }) => {
      const key = `${kind}/${nameOf(`${kind}/${name}`)}`;
      return stateFindings(`${kind}/${name}`, states, observer, key, text);
    }),
    ...objectFindings(scenario, observer, text),
  ];
}

/** Each component's events on each object, in order; without order where objects have generated names. */
function eventFindings(scenario: Scenario, observer: Observer, text: Text): Finding[] {
  const wanted = new Map<string, string[]>();
  const found = new Map<string, string[]>();
  const add = (groups: Map<string, string[]>, key: string, line: string): void => {
    const lines = groups.get(key);
    if (lines === undefined) groups.set(key, [line]);
    else if (!lines.includes(line)) lines.push(line);
  };
  for (const event of scenario.events) {
    if ('namespace' in event || LOAD.test(event.message)) continue;
    const key = recorded(`${event.source.component ?? event.reportingController} on ${event.object}`);
    add(wanted, key, eventText(event, recorded));
  }
  for (const event of observer.events.values()) {
    const { kind, name, fieldPath } = event['involvedObject'] as { kind: string; name: string; fieldPath?: string };
    const component = (event['source'] as { component?: string } | undefined)?.component;
    const reporter = component ?? String(event['reportingComponent'] ?? '');
    add(
      found,
      text(`${reporter} on ${kind}/${name}`),
      eventText({ ...(event as unknown as RecordedEvent), fieldPath }, text),
    );
  }
  const result: Finding[] = [];
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const [expected, actual] = [wanted.get(key) ?? [], found.get(key) ?? []];
    const ordered = !/<(suffix|hash|minute)>/.test(key);
    if (!hasSame(expected, actual) || (ordered && reasons(expected) !== reasons(actual))) {
      const missing = expected.filter((line) => !actual.includes(line));
      const extra = actual.filter((line) => !expected.includes(line));
      const problem =
        missing.length + extra.length === 0
          ? `order: expected ${JSON.stringify(expected)} got ${JSON.stringify(actual)}`
          : `missing ${JSON.stringify(missing)} extra ${JSON.stringify(extra)}`;
      result.push({ what: `events of ${key}`, problem });
    }
  }
  return result;
}

function hasSame(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join('\n') === [...b].sort().join('\n');
}

/** The order of what is done to several objects at once is chance. */
function reasons(lines: readonly string[]): string {
  return lines.map((line) => line.slice(0, line.indexOf(':'))).join('\n');
}

function stateFindings(what: string, states: readonly State[], observer: Observer, key: string, text: Text): Finding[] {
  const versions = observer.history.get(key);
  if (versions === undefined) return [{ what, problem: 'was never there' }];
  const kind = what.slice(0, what.indexOf('/'));
  const prepared = (state: State, own: Text): State =>
    cleaned(withoutRunFields(withoutMachine(kind, state)), own) as State;
  const expected = projections(states.map((state) => prepared(state, recorded)));
  const actual = projections(versions.map(({ object, deleted }) => prepared(asState(object, deleted), text)));
  const result: Finding[] = [];
  for (const [aspect, wanted] of expected) {
    const got = actual.get(aspect) ?? [];
    if (!agree(aspect, wanted, got)) {
      result.push({
        what: `${what} ${aspect}`,
        problem: `expected ${JSON.stringify(wanted)} got ${JSON.stringify(got)}`,
      });
    }
  }
  for (const [aspect, got] of actual) {
    if (!expected.has(aspect) && !isNewerKey(aspect) && !isNewerField(`status.${aspect}`) && !CHANCE.has(aspect)) {
      result.push({ what: `${what} ${aspect}`, problem: `unexpected ${JSON.stringify(got)}` });
    }
  }
  return result;
}

/** Whether they are there depends on how early a pod's end is seen. */
const CHANCE = new Set(['podIP', 'podIPs', 'ready']);

/**
 * Whether the values of an aspect are those of the recording. Upstream's kubelet writes a status rarely, so that states
 * which are soon over may be missing there, and a script's end may come sooner or later: then all of one side's values have
 * to be there on the other side, in order.
 */
function agree(aspect: string, wanted: readonly string[], got: readonly string[]): boolean {
  if (wanted.join('\n') === got.join('\n')) return true;
  if (!/^(phase|condition|container|restarts)/.test(aspect)) return false;
  return isSubsequence(wanted, got) || (isSubsequence(got, wanted) && got.at(-1) === wanted.at(-1));
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let i = 0;
  for (const value of whole) if (value === part[i]) i++;
  return i === part.length;
}

/** What the recordings keep of an object's versions. */
function asState(object: Observed, deleted: boolean): State {
  const { metadata, status } = object;
  return {
    ...(deleted ? { event: 'DELETED' as const } : {}),
    ...(metadata['finalizers'] === undefined ? {} : { finalizers: metadata['finalizers'] }),
    ...(object['kind'] === 'Pod' || metadata.deletionTimestamp !== undefined
      ? { deletionTimestamp: metadata.deletionTimestamp !== undefined }
      : {}),
    ...(status === undefined ? {} : { status }),
    ...(object['subsets'] === undefined ? {} : { subsets: object['subsets'] }),
    ...(object['endpoints'] === undefined ? {} : { endpoints: object['endpoints'] }),
  };
}

/** Every recorded object is a version that there was here too. */
function objectFindings(scenario: Scenario, observer: Observer, text: Text): Finding[] {
  const result: Finding[] = [];
  for (const { at: _, why: __, ...given } of scenario.objects ?? []) {
    const { kind, metadata } = given as JSONObject & { kind: string; metadata: { name: string } };
    const wanted = cleaned(withoutRunFields(withoutMachine(kind, given)), recorded);
    const pattern = namePattern(metadata.name);
    const names =
      metadata.name === '<namespace>' || kind === 'Node'
        ? observer.names(kind)
        : observer.names(kind).filter((name) => pattern.test(name));
    const versions = names.flatMap((name) => observer.history.get(`${kind}/${name}`) ?? []);
    const differences = versions
      .map(({ object }) => valueDifferences(wanted, cleaned(withoutRunFields(withoutMachine(kind, object)), text), ''))
      .sort((a, b) => a.length - b.length);
    const [nearest] = differences;
    if (nearest?.length === 0) continue;
    result.push({ what: `object ${kind}/${metadata.name}`, problem: nearest?.join('; ') ?? 'was never there' });
  }
  return result;
}

function recorded(text: string): string {
  return newerText(recordedText(text));
}

/** A value as both sides are compared. */
function cleaned(value: unknown, text: Text): unknown {
  return withSortedAddresses(mapTexts(withoutNewerParts(value), text));
}

/** Lists whose order is that of addresses, or of when pods got theirs. */
const ADDRESS_LISTS = new Set(['addresses', 'notReadyAddresses', 'endpoints']);

function withSortedAddresses(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedAddresses);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as JSONObject).map(([key, member]) => {
      const next = withSortedAddresses(member);
      return [key, ADDRESS_LISTS.has(key) && Array.isArray(next) ? next.toSorted(byText) : next];
    }),
  );
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [stable(a), stable(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function eventText({ type, reason, message, fieldPath }: RecordedEvent, text: Text): string {
  return `${type} ${reason}: ${text(message)}${fieldPath === undefined ? '' : ` ${fieldPath}`}`;
}

/** Identities, and what counts how often a controller wrote. */
const DROPPED = new Set([
  'uid',
  'resourceVersion',
  'managedFields',
  'generation',
  'observedGeneration',
  'endpoints.kubernetes.io/last-change-trigger-time',
  'endpoints.kubernetes.io/managed-by',
  // Whether they are there depends on how early a pod's end is seen.
  'podIP',
  'podIPs',
]);

/** Drops what the recordings do not have. */
function withoutRunFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRunFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as JSONObject)
      .filter(([key]) => !DROPPED.has(key))
      .filter(([key, member]) => !(/^(labels|annotations)$/.test(key) && isOnlyDropped(member)))
      .map(([key, member]) => [key, key === 'imageID' && member !== '' ? '<imageID>' : withoutRunFields(member)]),
  );
}

/** What a node tells of its machine. */
const OF_THE_MACHINE = ['capacity', 'allocatable', 'nodeInfo', 'images'];

function withoutMachine<T extends object>(kind: string, given: T): T {
  const { status, metadata } = given as { readonly status?: JSONObject; readonly metadata?: JSONObject };
  if (kind !== 'Node' || status === undefined) return given;
  const { 'kube-lite.io/local-storage-directory': _, ...annotations } = (metadata?.['annotations'] ?? {}) as JSONObject;
  return {
    ...given,
    ...(metadata === undefined ? {} : { metadata: { ...metadata, annotations } }),
    status: Object.fromEntries(Object.entries(status).filter(([key]) => !OF_THE_MACHINE.includes(key))),
  };
}

function isOnlyDropped(member: unknown): boolean {
  return Object.keys(member as JSONObject).every((key) => DROPPED.has(key));
}

function valueDifferences(expected: unknown, actual: unknown, path: string): string[] {
  if (expected === actual) return [];
  const different = [`${path}: expected ${JSON.stringify(expected)} got ${JSON.stringify(actual)}`];
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return different;
    return expected.flatMap((item, i) => valueDifferences(item, actual[i], `${path}[]`));
  }
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) {
    const isHidden = /^<(nodePort|long-value)>$/.test(String(expected)) && actual !== undefined;
    return isHidden ? [] : different;
  }
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  return [
    ...Object.entries(expected).flatMap(([key, member]) =>
      valueDifferences(member, (actual as JSONObject)[key], at(key)),
    ),
    ...Object.entries(actual)
      .filter(([key]) => !(key in expected) && !isNewerKey(key) && !isNewerField(at(key)))
      .map(([key, member]) => `${at(key)}: unexpected ${JSON.stringify(member)}`),
  ];
}
