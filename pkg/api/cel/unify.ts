import { type CelType, DYN, isDyn, sameType } from './types.ts';

/** What type variables have turned out to be. */
export type Bindings = ReadonlyMap<string, CelType>;

/** Replaces bound variables; free ones become dyn where asked. */
export function substitute(bindings: Bindings, type: CelType, freeToDyn: boolean): CelType {
  if (type.kind === 'param') {
    const bound = bindings.get(type.name);
    if (bound !== undefined) return substitute(bindings, bound, freeToDyn);
    return freeToDyn ? DYN : type;
  }
  if (type.params.length === 0) return type;
  let changed = false;
  const params = type.params.map((param) => {
    const replaced = substitute(bindings, param, freeToDyn);
    changed ||= replaced !== param;
    return replaced;
  });
  return changed ? { ...type, params } : type;
}

/** Replaces every variable, free ones by dyn; types that share parts do the work once. */
export function settle(bindings: Bindings, type: CelType, done: Map<CelType, CelType>): CelType {
  if (type.kind !== 'param' && type.params.length === 0) return type;
  const known = done.get(type);
  if (known !== undefined) return known;
  let settled: CelType;
  if (type.kind === 'param') {
    const bound = resolve(bindings, type);
    settled = bound.kind === 'param' ? DYN : settle(bindings, bound, done);
  } else {
    settled = { ...type, params: type.params.map((param) => settle(bindings, param, done)) };
  }
  done.set(type, settled);
  return settled;
}

/** Renames the variables of an overload so that calls do not share them. */
export function rename(type: CelType, names: ReadonlyMap<string, CelType>): CelType {
  if (type.kind === 'param') return names.get(type.name) ?? type;
  if (type.params.length === 0) return type;
  return { ...type, params: type.params.map((param) => rename(param, names)) };
}

/**
 * Whether values of the types `from` can stand where `to` are expected. Variables get bound on the way; when the answer is no,
 * the bindings are as before.
 */
export function assignAll(bindings: Map<string, CelType>, from: readonly CelType[], to: readonly CelType[]): boolean {
  if (from.length !== to.length) return false;
  const trial: Trial = { bindings, bound: [] };
  const fits = from.every((source, i) => {
    const target = to[i];
    return target !== undefined && assignable(trial, source, target);
  });
  if (!fits) for (const name of trial.bound) bindings.delete(name);
  return fits;
}

interface Trial {
  readonly bindings: Map<string, CelType>;
  readonly bound: string[];
}

function assignable(trial: Trial, from: CelType, to: CelType): boolean {
  const source = resolve(trial.bindings, from);
  const target = resolve(trial.bindings, to);
  if (target.kind === 'param') return bindVariable(trial, target, source);
  if (source.kind === 'param') return bindVariable(trial, source, target);
  if (isDyn(source) || isDyn(target) || source.kind === 'error' || target.kind === 'error') return true;
  if (source.kind === 'null') return target.kind === 'null' || isNullable(target);
  if (target.kind === 'null') return isNullable(source);
  if (target.kind === 'wrapper') {
    return target.params[0]?.kind === (source.kind === 'wrapper' ? source.params[0]?.kind : source.kind);
  }
  if (source.kind === 'wrapper') return source.params[0]?.kind === target.kind;
  if (source.kind !== target.kind) return false;
  if (source.kind === 'type') return true;
  if (source.name !== target.name || source.params.length !== target.params.length) return false;
  return source.params.every((param, i) => {
    const other = target.params[i];
    return other !== undefined && assignable(trial, param, other);
  });
}

function resolve(bindings: Bindings, type: CelType): CelType {
  let current = type;
  while (current.kind === 'param') {
    const bound = bindings.get(current.name);
    if (bound === undefined) return current;
    current = bound;
  }
  return current;
}

function bindVariable({ bindings, bound }: Trial, variable: CelType, type: CelType): boolean {
  if (type.kind === 'param' && type.name === variable.name) return true;
  if (mentions(bindings, type, variable.name)) return false;
  bindings.set(variable.name, type);
  bound.push(variable.name);
  return true;
}

function mentions(bindings: Bindings, type: CelType, name: string): boolean {
  const resolved = resolve(bindings, type);
  if (resolved.kind === 'param') return resolved.name === name;
  return resolved.params.some((param) => mentions(bindings, param, name));
}

function isNullable(type: CelType): boolean {
  return ['wrapper', 'object', 'opaque', 'duration', 'timestamp'].includes(type.kind);
}

/** Of two types that fit each other, the one that says less. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isLessSpecific(a, b) ? a : b;
}

function isLessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a)) return true;
  if (isDyn(b)) return false;
  if (a.kind === 'param') return true;
  if (b.kind === 'param') return false;
  if (a.kind === 'null') return false;
  if (b.kind === 'null') return true;
  if (a.kind === 'wrapper' && b.kind !== 'wrapper') return true;
  if (b.kind === 'wrapper' && a.kind !== 'wrapper') return false;
  if (a.kind !== b.kind || a.params.length !== b.params.length) return sameType(a, b);
  return a.params.every((param, i) => {
    const other = b.params[i];
    return other !== undefined && isLessSpecific(param, other);
  });
}
