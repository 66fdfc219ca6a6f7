import type { HTTPIngressPath, Ingress, IngressBackend } from '../api/generated/types.ts';
import { type DeepReadonly, keyOf } from '../api/object.ts';
import { parseAnnotations } from './annotations.ts';
import type { Backend, CanaryRoute, HostRoutes, PathKind, Route, RoutingTable } from './routing-table.ts';
import type { IngressSettings } from './settings.ts';
import type { CompileRegex, UserRegex } from './user-regex.ts';

type ReadIngress = DeepReadonly<Ingress>;

export interface BuiltTable {
  readonly table: RoutingTable;
  /** What users should know of their Ingresses, by key. */
  readonly problems: ReadonlyMap<string, readonly string[]>;
}

interface HostDraft {
  readonly exact: Map<string, Draft>;
  readonly ordered: Draft[];
  fallback?: Draft;
  tls: boolean;
  appRoot?: string;
  /** The name with or without `www.` leads here. */
  fromToWWW: boolean;
}

interface Draft extends Omit<Route, 'canaries'> {
  readonly canaries: CanaryRoute[];
}

interface ReadRule {
  readonly host: string;
  /** Absent: the default backend. */
  readonly path?: { readonly kind: PathKind; readonly path: string };
  readonly backend: Backend | undefined;
}

/** Whether building a table takes regular expressions. */
export function needsRegex(ingresses: readonly ReadIngress[]): boolean {
  return ingresses.some(({ metadata }) =>
    Object.keys(metadata.annotations ?? {}).some((name) => /\/(?:use-regex|rewrite-target|.*-pattern)$/.test(name)),
  );
}

/** Makes the table of all Ingresses that are served; of two that say different things about one path the older one counts. */
export function buildTable(ingresses: readonly ReadIngress[], compile: CompileRegex): BuiltTable {
  const builder = new TableBuilder(compile);
  const parsed = [...ingresses].sort(byAge).map((ingress) => {
    const { settings, problems } = parseAnnotations(ingress.metadata.annotations ?? {});
    builder.note(keyOf(ingress), problems);
    return { ingress, settings };
  });
  for (const { ingress, settings } of parsed) if (settings.canary === undefined) builder.add(ingress, settings);
  for (const { ingress, settings } of parsed) if (settings.canary !== undefined) builder.addCanary(ingress, settings);
  return builder.build();
}

class TableBuilder {
  readonly #compile: CompileRegex;
  readonly #hosts = new Map<string, HostDraft>();
  readonly #problems = new Map<string, string[]>();

  constructor(compile: CompileRegex) {
    this.#compile = compile;
  }

  note(ingress: string, problems: readonly string[]): void {
    if (problems.length > 0) this.#problems.set(ingress, [...(this.#problems.get(ingress) ?? []), ...problems]);
  }

  add(ingress: ReadIngress, settings: IngressSettings): void {
    const key = keyOf(ingress);
    const tlsHosts = new Set((ingress.spec?.tls ?? []).flatMap(({ hosts }) => hosts ?? []));
    for (const { host, path, backend } of rulesOf(ingress, settings)) {
      if (backend === undefined) this.note(key, ['a backend that is no Service is not supported']);
      const draft = this.#host(host);
      if (tlsHosts.has(host)) draft.tls = true;
      if (settings.appRoot !== undefined) draft.appRoot ??= settings.appRoot;
      if (settings.fromToWWW) draft.fromToWWW = true;
      const common = { ingress: key, backend, settings, canaries: [] };
      if (path === undefined) draft.fallback ??= { ...common, kind: 'Prefix', path: '/' };
      else this.#addPath(draft, { ...common, ...path });
    }
  }

  addCanary(ingress: ReadIngress, settings: IngressSettings): void {
    const { canary } = settings;
    if (canary === undefined) return;
    const key = keyOf(ingress);
    const headerRegex =
      canary.headerPattern === undefined || canary.headerValue !== undefined
        ? undefined
        : this.#compiled(key, canary.headerPattern);
    for (const { host, path, backend } of rulesOf(ingress, settings)) {
      const draft = this.#hosts.get(host);
      const stable = path === undefined ? draft?.fallback : draft && findSame(draft, path.path);
      if (stable === undefined || backend === undefined) {
        this.note(key, [`${host}${path?.path ?? ''} has no other Ingress that this one could be the canary of`]);
        continue;
      }
      stable.canaries.push({ canary, backend, ...(headerRegex === undefined ? {} : { headerRegex }) });
    }
  }

  build(): BuiltTable {
    const hosts = new Map<string, HostRoutes>();
    for (const [name, draft] of this.#hosts) hosts.set(name, { ...draft, ordered: draft.ordered.sort(byPrecedence) });
    for (const [name, { fromToWWW, tls }] of this.#hosts) {
      const other = name.startsWith('www.') ? name.slice(4) : `www.${name}`;
      if (fromToWWW && name !== '' && !name.startsWith('*') && !hosts.has(other))
        hosts.set(other, { exact: new Map(), ordered: [], tls, redirectTo: name });
    }
    return { table: { hosts }, problems: this.#problems };
  }

  #addPath(draft: HostDraft, route: Draft): void {
    if (route.kind === 'Exact') {
      if (!draft.exact.has(route.path)) draft.exact.set(route.path, route);
    } else if (route.kind === 'Regex') {
      const regex = this.#compiled(route.ingress, route.path);
      if (regex !== undefined) draft.ordered.push({ ...route, regex });
    } else {
      draft.ordered.push(route);
    }
  }

  #compiled(ingress: string, pattern: string): UserRegex | undefined {
    try {
      return this.#compile(pattern, { ignoreCase: true });
    } catch {
      this.note(ingress, [`${JSON.stringify(pattern)} is no regular expression`]);
      return undefined;
    }
  }

  #host(name: string): HostDraft {
    let draft = this.#hosts.get(name);
    if (draft === undefined) {
      draft = { exact: new Map(), ordered: [], tls: false, fromToWWW: false };
      this.#hosts.set(name, draft);
    }
    return draft;
  }
}

function rulesOf(ingress: ReadIngress, settings: IngressSettings): ReadRule[] {
  const { rules = [], defaultBackend } = ingress.spec ?? {};
  const { namespace = '' } = ingress.metadata;
  const found: ReadRule[] = [];
  for (const { host = '', http } of rules) {
    for (const name of new Set([host.toLowerCase(), ...(host === '' ? [] : settings.serverAliases)])) {
      for (const path of http?.paths ?? []) {
        const backend = backendOf(namespace, path.backend);
        found.push({ host: name, path: { kind: kindOf(path, settings), path: path.path || '/' }, backend });
      }
      if (defaultBackend !== undefined) found.push({ host: name, backend: backendOf(namespace, defaultBackend) });
    }
  }
  if (rules.length === 0 && defaultBackend !== undefined)
    found.push({ host: '', backend: backendOf(namespace, defaultBackend) });
  return found;
}

/** ImplementationSpecific is Prefix here, or an expression when the Ingress asks for these. */
function kindOf({ pathType }: DeepReadonly<HTTPIngressPath>, settings: IngressSettings): PathKind {
  if (pathType === 'Exact') return 'Exact';
  return settings.useRegex || settings.rewriteTarget !== undefined ? 'Regex' : 'Prefix';
}

function backendOf(namespace: string, { service }: DeepReadonly<IngressBackend>): Backend | undefined {
  if (service === undefined || service === null) return undefined;
  const port = service.port?.name || service.port?.number;
  return port === undefined ? undefined : { namespace, service: service.name, port };
}

function findSame(draft: HostDraft, path: string): Draft | undefined {
  return draft.ordered.find((route) => route.path === path) ?? draft.exact.get(path);
}

function byPrecedence(a: Draft, b: Draft): number {
  return b.path.length - a.path.length;
}

function byAge(a: ReadIngress, b: ReadIngress): number {
  const rank = (ingress: ReadIngress): string => `${ingress.metadata.creationTimestamp ?? ''} ${keyOf(ingress)}`;
  return rank(a) < rank(b) ? -1 : 1;
}
