import type { Reply } from './connection.ts';
import { documentOf } from './documents.ts';
import { isIntruder, Normalizer } from './normalize.ts';
import type { Comparison, Outcome, Step } from './recording.ts';
import { tableOf } from './tables.ts';
import { isObject, parsed, placeholder, substitute, type Variables, valueAt } from './variables.ts';

type JSONObject = Record<string, unknown>;

/** What of an answer is compared, in the form that the recordings have. */
export function outcomeOf(step: Step, reply: Reply, variables: Variables): Outcome {
  const normalizer = new Normalizer(variables, step.keepMF);
  const outcome: Outcome = { status: reply.status };
  if (step.warn) outcome.warnings = warningsOf(reply).map((text) => normalizer.text(text));
  if (step.contentType) outcome.contentType = String(reply.headers['content-type'] ?? '').replace(/\s/g, '');
  if (step.respHeaders) {
    outcome.headers = Object.fromEntries(
      step.respHeaders.map((name) => [name, normalizer.text(String(reply.headers[name] ?? ''))]),
    );
  }
  const compared =
    step.watch !== undefined && reply.status === 200
      ? { compare: 'watch' as const, body: eventsOf(step, reply, normalizer) }
      : bodyOf(step, reply, normalizer, variables);
  const relations = relationsOf(step, reply, variables);
  // Values that JSON does not know (undefined members) are not part of recordings either.
  return JSON.parse(JSON.stringify({ ...outcome, ...compared, ...relations })) as Outcome;
}

function bodyOf(
  step: Step,
  reply: Reply,
  normalizer: Normalizer,
  variables: Variables,
): { compare: Comparison; body?: unknown } {
  if (step.compare === 'status') return { compare: 'status' };
  const body = parsed(reply.text);
  if (!isObject(body)) {
    return { compare: 'text', body: step.compare === 'text?' ? '' : normalizer.text(reply.text).trim() };
  }
  if (body['kind'] === 'Status' && body['status'] === 'Failure') {
    return { compare: 'error', body: failureOf(body, normalizer) };
  }
  const compare = step.compare ?? (body['kind'] === 'Table' && step.pick === undefined ? 'table' : 'object');
  const document = documentOf(compare, body, step.at, substitute(step.types ?? [], variables), normalizer);
  if (document !== undefined) return { compare, body: document };
  if (compare === 'table') return { compare, body: tableOf(body, normalizer, step.tableKeys === true) };
  if (Array.isArray(body['items'])) body['items'] = body['items'].filter((item) => !isIntruder(item));
  const object = normalizer.value(body) as JSONObject;
  if (compare === 'names') return { compare, body: namesOf(object) };
  if (step.pick !== undefined) return { compare: 'pick', body: pickedOf(object, step.pick, step.sortPick === true) };
  for (const path of step.omit ?? []) omit(object, path);
  return { compare, body: object };
}

function failureOf(status: JSONObject, normalizer: Normalizer): unknown {
  const details = (status['details'] ?? {}) as { causes?: { field?: string; reason?: string }[] };
  const causes = (details.causes ?? []).map(({ field, reason }) => `${normalizer.text(field ?? '')}|${reason ?? ''}`);
  return {
    code: status['code'],
    reason: status['reason'] ?? '',
    causes: [...new Set(causes)].sort(),
    message: normalizer.text(String(status['message'] ?? '')),
  };
}

function namesOf(list: JSONObject): unknown {
  const items = (list['items'] ?? []) as { metadata?: { name?: string } }[];
  return {
    kind: list['kind'],
    apiVersion: list['apiVersion'],
    names: items.map((item) => item.metadata?.name),
    continue: valueAt(list, 'metadata.continue') || undefined,
    remaining: valueAt(list, 'metadata.remainingItemCount'),
  };
}

function pickedOf(object: JSONObject, paths: readonly string[], sorted: boolean): JSONObject {
  return Object.fromEntries(
    paths.map((path) => {
      const value = valueAt(object, path);
      if (value === undefined) return [path, placeholder('absent')];
      return [path, sorted && Array.isArray(value) ? sortedByText(value) : value];
    }),
  );
}

function omit(object: JSONObject, path: string): void {
  const keys = path.match(/[^.[\]]+/g) ?? [];
  const last = keys.pop() ?? '';
  const parent = keys.length === 0 ? object : valueAt(object, keys.join('.'));
  if (isObject(parent)) delete parent[last];
}

function eventsOf(step: Step, reply: Reply, normalizer: Normalizer): unknown[] {
  let columns: unknown;
  const events = (reply.events ?? []).filter(({ object }) => !isIntruder(object));
  const compared = events.map(({ type, object }) => {
    if (type === 'ERROR') return { type, code: object['code'], reason: object['reason'] };
    if (object['kind'] === 'Table') {
      const own = (object['columnDefinitions'] ?? []) as unknown[];
      if (own.length > 0) columns = own;
      const { rows } = tableOf({ ...object, columnDefinitions: columns ?? [] }, normalizer, step.tableKeys === true);
      return { type, kind: 'Table', rows, cols: own.length > 0 };
    }
    if (type === 'BOOKMARK') return { type, kind: object['kind'] };
    const event: JSONObject = { type, name: normalizer.text(String(valueAt(object, 'metadata.name') ?? '')) };
    if (step.kinds) event['kind'] = `${object['kind']} ${normalizer.text(String(object['apiVersion'] ?? ''))}`;
    for (const path of step.watchPick ?? []) event[`.${path}`] = normalizer.value(valueAt(object, path));
    return event;
  });
  return step.sortEvents ? sortedByText(compared) : compared;
}

function relationsOf(step: Step, reply: Reply, variables: Variables): { rel?: Record<string, boolean> } {
  if (step.same === undefined && step.differs === undefined) return {};
  const body = parsed(reply.text);
  const equal = (path: string, name: string): boolean => String(valueAt(body, path)) === String(variables[name]);
  return {
    rel: Object.fromEntries([
      ...Object.entries(step.same ?? {}).map(([path, name]) => [`same ${path}`, equal(path, name)] as const),
      ...Object.entries(step.differs ?? {}).map(([path, name]) => [`differs ${path}`, !equal(path, name)] as const),
    ]),
  };
}

function warningsOf({ rawHeaders }: Reply): string[] {
  const texts: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'warning') continue;
    for (const [, text = ''] of (rawHeaders[i + 1] ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)) {
      texts.push(text.replace(/\\(.)/g, '$1'));
    }
  }
  return texts;
}

function sortedByText(values: readonly unknown[]): unknown[] {
  return [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
