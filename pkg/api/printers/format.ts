import { formatLabelSelector, type LooseLabelSelector } from '../selector.ts';

type Labels = Readonly<Record<string, string | undefined>>;

/** `a=1,b=2`, sorted; `<none>` for no labels. */
export function formatLabels(labels: Labels | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels?.[key] ?? ''}`).join(',');
}

/** A label selector as `kubectl get -l` would take it; `<none>` when it is absent or selects everything. */
export function formatSelector(selector: LooseLabelSelector | null | undefined): string {
  return formatLabelSelector(selector) || '<none>';
}

interface ContainerLike {
  readonly name?: string;
  readonly image?: string;
}

/** The cells of the Containers and Images columns. */
export function containerCells(containers: readonly ContainerLike[] | undefined): [string, string] {
  const list = containers ?? [];
  return [list.map((it) => it.name ?? '').join(','), list.map((it) => it.image ?? '').join(',')];
}

/** The first `max` of a list, and how many there are beyond: `a,b,c + 2 more...`. */
export function firstFew(list: readonly string[], max: number, separator = ','): string {
  const shown = list.slice(0, max).join(separator);
  return list.length > max ? `${shown} + ${list.length - max} more...` : shown;
}

/** `True` and `False` as upstream prints optional booleans. */
export function formatBoolean(value: boolean | undefined): string {
  return value === undefined ? '<unset>' : value ? 'True' : 'False';
}

/** `host:port`, with brackets around IPv6 addresses. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
