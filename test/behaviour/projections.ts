import type { JSONObject, State } from './scenario.ts';

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: JSONObject;
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
    readonly signal?: number;
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const CONTAINER_LISTS = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'];
/** States that are over at once: whether anybody sees them is chance. */
const FLEETING = new Set(['waiting ContainerCreating', 'waiting PodInitializing', 'running', 'running ready']);

/**
 * What an object's states say about each of its aspects (phase, a condition, a container, a field of the status), each as
 * the distinct consecutive values in order. How changes of several aspects fall together is chance, and so is which
 * intermediate counts there are: numbers and lists are compared as they end.
 */
export function projections(states: readonly State[]): Map<string, string[]> {
  const result = new Map<string, string[]>();
  const add = (aspect: string, value: string): void => {
    const values = result.get(aspect);
    if (values === undefined) result.set(aspect, [value]);
    else if (values.at(-1) !== value) values.push(value);
  };
  for (const state of states) {
    const { status = {}, ...rest } = state;
    for (const condition of (status['conditions'] ?? []) as Condition[]) {
      const { type, status: value, reason = '', message = '' } = condition;
      add(`condition ${type}`, [value, reason, message].filter(Boolean).join(' '));
    }
    for (const list of CONTAINER_LISTS) {
      for (const container of (status[list] ?? []) as ContainerStatus[]) {
        add(`container ${container.name}`, containerText(container));
        add(`restarts ${container.name}`, String(container.restartCount));
      }
    }
    if (typeof status['phase'] === 'string') add('phase', status['phase']);
    if (rest['deletionTimestamp'] !== undefined) add('deleting', String(rest['deletionTimestamp']));
    if (rest['finalizers'] !== undefined) add('finalizers', JSON.stringify(rest['finalizers']));
  }
  for (const [aspect, values] of result) {
    if (!aspect.startsWith('container ')) continue;
    const kept = values.filter((value, i) => !FLEETING.has(value) || i === values.length - 1);
    result.set(
      aspect,
      kept.filter((value, i) => value !== kept[i - 1]),
    );
  }
  addLast(result, states);
  return result;
}

/** Fields of the status that are compared as they end. */
function addLast(result: Map<string, string[]>, states: readonly State[]): void {
  const status = states.at(-1)?.status ?? {};
  for (const [field, value] of Object.entries(status)) {
    if (field === 'phase' || field === 'conditions' || CONTAINER_LISTS.includes(field)) continue;
    if (field === 'observedGeneration') continue;
    result.set(field, [stable(value)]);
  }
}

/** JSON with sorted keys. */
export function stable(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function containerText({ state = {}, ready }: ContainerStatus): string {
  const { waiting, running, terminated } = state;
  if (terminated !== undefined) {
    const { reason = '', exitCode, signal, message = '' } = terminated;
    return `terminated ${[reason, exitCode, signal, message].filter((part) => part !== undefined && part !== '').join(' ')}`;
  }
  if (running !== undefined) return ready ? 'running ready' : 'running';
  return `waiting ${[waiting?.reason, waiting?.message].filter(Boolean).join(' ')}`;
}
