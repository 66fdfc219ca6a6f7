/** What a container or node has used up to a moment. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly atMs: number;
}

/** One look at a kubelet. */
export interface Scrape {
  readonly node: Usage | undefined;
  /** `namespace/pod` -> container -> usage. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Usage>>;
}

interface Draft {
  cpuSeconds?: number;
  memoryBytes?: number;
  atMs?: number;
}

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)(?: (\d+))?$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Reads a kubelet's /metrics/resource. Samples without time are of `nowMs`; what has only half of its values is left out. */
export function readScrape(text: string, nowMs: number): Scrape {
  const node: Draft = {};
  const pods = new Map<string, Map<string, Draft>>();
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value = '', time] = LINE.exec(line) ?? [];
    const draft = name.startsWith('node_')
      ? node
      : name.startsWith('container_')
        ? containerOf(pods, labels)
        : undefined;
    if (draft === undefined) continue;
    const number = Number(value);
    if (!Number.isFinite(number)) continue;
    if (name.endsWith('_cpu_usage_seconds_total')) {
      draft.cpuSeconds = number;
      draft.atMs = time === undefined ? nowMs : Number(time);
    } else if (name.endsWith('_memory_working_set_bytes')) {
      draft.memoryBytes = number;
    }
  }
  const whole = [...pods].map(([pod, containers]) => {
    const usages = [...containers].map(([container, draft]) => [container, complete(draft)] as const);
    return [pod, new Map(usages.filter((entry): entry is [string, Usage] => entry[1] !== undefined))] as const;
  });
  return { node: complete(node), pods: new Map(whole) };
}

function containerOf(pods: Map<string, Map<string, Draft>>, text: string): Draft | undefined {
  const labels = new Map([...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, value]));
  const [namespace, pod, container] = ['namespace', 'pod', 'container'].map((name) => labels.get(name));
  if (!namespace || !pod || !container) return undefined;
  const key = `${namespace}/${pod}`;
  const containers = pods.get(key) ?? new Map<string, Draft>();
  pods.set(key, containers);
  const draft = containers.get(container) ?? {};
  containers.set(container, draft);
  return draft;
}

function complete({ cpuSeconds, memoryBytes, atMs }: Draft): Usage | undefined {
  if (cpuSeconds === undefined || memoryBytes === undefined || atMs === undefined) return undefined;
  return { cpuSeconds, memoryBytes, atMs };
}
