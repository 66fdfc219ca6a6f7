import { badRequest, type FieldError, invalid } from '../../api/errors.ts';
import type { Pod } from '../../api/generated/types.ts';
import { parseTime, TimeError } from '../../api/time.ts';
import { goQuote } from '../../api/validation/go-format.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Query } from '../request/query.ts';

/** The container that a log, exec or attach is about; throws BadRequest. */
export function chooseContainer(pod: DeepReadonly<Pod>, wanted: string): string {
  const name = pod.metadata.name ?? '';
  const names = (list: readonly { readonly name?: string }[] | undefined): string[] =>
    (list ?? []).map((one) => one.name ?? '');
  const containers = names(pod.spec?.containers);
  const init = names(pod.spec?.initContainers);
  const ephemeral = names(pod.spec?.ephemeralContainers);
  if (wanted !== '') {
    if ([...containers, ...init, ...ephemeral].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  const all = [...init, ...containers, ...ephemeral].join(' ');
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${all}]`);
}

/** What is wrong with the options themselves comes before anything about the pod. Throws BadRequest, Invalid. */
export function checkOptions(
  { subresource, name }: { readonly subresource: string; readonly name: string },
  query: Query,
): void {
  if (subresource === 'log') checkLogOptions(name, query);
  else if (subresource === 'portforward') portsOf(query);
}

/** Upstream's ValidatePodLogOptions. */
function checkLogOptions(pod: string, query: Query): void {
  const errors: FieldError[] = [];
  const notNegative = ['tailLines'] as const;
  for (const field of notNegative) {
    const value = query.integer(field);
    if (value !== undefined && value < 0) errors.push(wrong(field, value, 'must be greater than or equal to 0'));
  }
  const limit = query.integer('limitBytes');
  if (limit !== undefined && limit < 1) errors.push(wrong('limitBytes', limit, 'must be greater than 0'));
  const since = query.integer('sinceSeconds');
  if (since !== undefined && query.get('sinceTime') !== '') {
    errors.push({
      type: 'FieldValueForbidden',
      field: '[]',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    });
  } else if (since !== undefined && since < 1) {
    errors.push(wrong('sinceSeconds', since, 'must be greater than 0'));
  }
  // PodLogsQuerySplitStreams is off.
  if (query.has('stream')) {
    errors.push({ type: 'FieldValueForbidden', field: 'stream', message: 'Forbidden: may not be specified' });
  }
  checkTime(query.get('sinceTime'));
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors);
}

function checkTime(text: string): void {
  try {
    if (text !== '') parseTime(text);
  } catch (error) {
    if (error instanceof TimeError) throw badRequest(error.message);
    throw error;
  }
}

function wrong(field: string, value: unknown, text: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${String(value)}: ${text}` };
}

/** The ports to forward: one parameter may name several. */
function portsOf(query: Query): string[] {
  const ports = query.all('ports').flatMap((list) => list.split(','));
  for (const port of ports) {
    const problem = /^\d+$/.test(port) ? 'value out of range' : 'invalid syntax';
    if (problem === 'value out of range' && BigInt(port) < 2n ** 16n) continue;
    throw badRequest(`cannot convert to []int32: strconv.ParseUint: parsing ${goQuote(port)}: ${problem}`);
  }
  return ports;
}

const LOG_PARAMETERS = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes'];

/** The query of the kubelet's endpoint for the options that a client gave. */
export function streamQuery(subresource: string, query: Query): string {
  const parameters = new URLSearchParams();
  if (subresource === 'log') {
    for (const name of LOG_PARAMETERS) if (query.get(name) !== '') parameters.append(name, query.get(name));
  } else if (subresource === 'portforward') {
    for (const port of portsOf(query)) parameters.append('port', String(Number(port)));
  } else {
    // Without any stream named, upstream asks for standard output and error.
    const defaults = !['stdin', 'stdout', 'stderr'].some((name) => query.has(name));
    if (query.flag('stdin')) parameters.append('input', '1');
    if (query.flag('stdout') || defaults) parameters.append('output', '1');
    if (query.flag('stderr') || (defaults && !query.flag('tty'))) parameters.append('error', '1');
    if (query.flag('tty')) parameters.append('tty', '1');
    for (const word of query.all('command')) parameters.append('command', word);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
