import { atOnce, type Steps } from '../../base/steps.ts';
import { areSorted, sortElements } from './element-order.ts';

/**
 * A set of field paths in the form of FieldsV1: nested objects whose keys are path elements (`f:spec`, `k:{"name":"a"}`,
 * `v:"x"`). A node that is empty, or has the key `.`, is itself in the set. Sets are immutable and share what they have in
 * common, so the entries of managedFields are used as they are stored, without decoding.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const emptySet: FieldSet = Object.freeze({});

/** True for the root of a set without members. */
export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether the node itself (not only something below it) is in the set. */
export function isMember(node: FieldSet): boolean {
  return isEmptySet(node) || node['.'] !== undefined;
}

/** A node under construction: what is below it is a set that was inserted as a whole, or nodes by their element. */
interface BuilderNode {
  member: boolean;
  below: Map<string, BuilderNode> | FieldSet;
}

/** Builds a set path by path. In maps, since asking a large object whether it is empty takes time by its size. */
export class FieldSetBuilder {
  #root: Map<string, BuilderNode> | undefined;

  /** Adds a path, and, when it is not there yet, what is below it. */
  insert(path: readonly string[], below: FieldSet = emptySet): void {
    this.#root ??= new Map();
    let children = this.#root;
    for (let i = 0; i < path.length - 1; i++) {
      const element = path[i] as string;
      let node = children.get(element);
      if (node === undefined) {
        node = { member: false, below: new Map() };
        children.set(element, node);
      }
      children = childrenOf(node);
    }
    const last = path[path.length - 1];
    if (last === undefined) return;
    const node = children.get(last);
    if (node === undefined) children.set(last, { member: true, below });
    else node.member = true;
  }

  get isEmpty(): boolean {
    return this.#root === undefined;
  }

  build(): FieldSet {
    return atOnce(this.buildSteps());
  }

  /** The same in steps that make a limited number of nodes. */
  *buildSteps(): Steps<FieldSet> {
    if (this.#root === undefined) return emptySet;
    const root: Record<string, FieldSet> = {};
    const parts = [{ set: root, children: this.#root, member: false }];
    let count = 0;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const { set, children, member } = part;
      if (member && children.size > 0) set['.'] = emptySet;
      for (const element of sortElements([...children.keys()])) {
        const node = children.get(element) as BuilderNode;
        if (node.below instanceof Map) {
          const below = {};
          parts.push({ set: below, children: node.below, member: node.member });
          set[element] = below;
        } else set[element] = node.below;
        count++;
        if (count % STEP_NODES === 0) yield;
      }
    }
    return root;
  }
}

/** How many nodes are made in one step. */
const STEP_NODES = 2000;

function childrenOf(node: BuilderNode): Map<string, BuilderNode> {
  if (node.below instanceof Map) return node.below;
  const children = new Map<string, BuilderNode>();
  for (const element in node.below) {
    const child = node.below[element];
    if (element !== '.' && child !== undefined) children.set(element, { member: isMember(child), below: child });
  }
  node.below = children;
  return children;
}

/**
 * A set of nodes with their elements, each of which occurs once. They are put in order before: to make a large object takes its
 * time, and to make it again takes it again.
 */
export function setOfNodes(elements: string[], nodes: readonly FieldSet[]): FieldSet {
  const set: Record<string, FieldSet> = {};
  atOnce(fill(set, elements, nodes));
  return set;
}

/** In steps that put in a limited number of nodes. */
function* fill(set: Record<string, FieldSet>, elements: string[], nodes: readonly FieldSet[]): Steps<void> {
  if (areSorted(elements)) {
    for (let i = 0; i < elements.length; i++) {
      set[elements[i] as string] = nodes[i] as FieldSet;
      if (i % STEP_NODES === STEP_NODES - 1) yield;
    }
    return;
  }
  const nodeOf = new Map<string, FieldSet>();
  for (let i = 0; i < elements.length; i++) nodeOf.set(elements[i] as string, nodes[i] as FieldSet);
  const sorted = sortElements(elements);
  for (let i = 0; i < sorted.length; i++) {
    const element = sorted[i] as string;
    set[element] = nodeOf.get(element) as FieldSet;
    if (i % STEP_NODES === STEP_NODES - 1) yield;
  }
}

/** Makes sets, large ones in later steps: until then they are empty. */
export class SetMaker {
  readonly #late: Steps<void>[] = [];

  /** As setOfNodes. */
  make(elements: string[], nodes: readonly FieldSet[]): FieldSet {
    const set: Record<string, FieldSet> = {};
    const filling = fill(set, elements, nodes);
    if (elements.length > STEP_NODES) this.#late.push(filling);
    else atOnce(filling);
    return set;
  }

  *finish(): Steps<void> {
    for (const filling of this.#late) {
      yield;
      yield* filling;
    }
  }
}

/** Members of `a` that are not members of `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtractChildren(a, b, false, subtract);
}

/** Members of `a` that are neither members of `b` nor below one. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtractChildren(a, b, false, subtractBelow);
}

/** What is left of a node, or undefined for nothing. */
type Subtract = (a: FieldSet, b: FieldSet) => FieldSet | undefined;

function subtract(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const member = isMember(a);
  const keeps = member && !isMember(b);
  const left = subtractChildren(a, b, member && !keeps, subtract);
  return isEmptySet(left) && !keeps ? undefined : bare(left);
}

function subtractBelow(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (isMember(b)) return undefined;
  const left = subtractChildren(a, b, false, subtractBelow);
  return isEmptySet(left) && !isMember(a) ? undefined : bare(left);
}

/** A member without anything below it is the empty node. */
function bare(node: FieldSet): FieldSet {
  if (node['.'] === undefined) return node;
  for (const element in node) if (element !== '.') return node;
  return emptySet;
}

function subtractChildren(a: FieldSet, b: FieldSet, dropSelf: boolean, subtractChild: Subtract): FieldSet {
  // What is left is put together from the first change on: of a large set mostly nothing goes, or nearly everything.
  let left: Record<string, FieldSet> | undefined;
  let kept = 0;
  for (const element in a) {
    const child = a[element] as FieldSet;
    const other = element === '.' ? undefined : b[element];
    let rest: FieldSet | undefined = child;
    if (other !== undefined) rest = subtractChild(child, other);
    else if (dropSelf && element === '.') rest = undefined;
    if (rest !== child) left ??= firstOf(a, kept);
    if (left === undefined) kept++;
    else if (rest !== undefined) left[element] = rest;
  }
  return left ?? a;
}

/** The first so many nodes of a set. */
function firstOf(set: FieldSet, count: number): Record<string, FieldSet> {
  const first: Record<string, FieldSet> = {};
  let left = count;
  for (const element in set) {
    if (left === 0) break;
    left--;
    first[element] = set[element] as FieldSet;
  }
  return first;
}

/** Members of both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const common: Record<string, FieldSet> = {};
  for (const element in a) {
    const [left, right] = [a[element], b[element]];
    if (element === '.' || left === undefined || right === undefined) continue;
    const below = intersection(left, right) as Record<string, FieldSet>;
    const member = isMember(left) && isMember(right);
    if (isEmptySet(below)) {
      if (member) common[element] = below;
    } else {
      if (member) below['.'] = {};
      common[element] = below;
    }
  }
  return common;
}

/** Members of either; one of the two itself when it has all of them. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  return unionNodes(a, b, false);
}

function unionNodes(a: FieldSet, b: FieldSet, member: boolean): FieldSet {
  let all: Record<string, FieldSet> | undefined;
  let added = false;
  for (const element in b) {
    const [left, right] = [a[element], b[element]];
    if (right === undefined || left === right) continue;
    const both = left === undefined ? right : unionNodes(left, right, isMember(left) || isMember(right));
    if (both === left) continue;
    added ||= left === undefined;
    // To copy a large set takes long, and most writes change what is owned already.
    all ??= { ...a };
    all[element] = both;
  }
  if (member && (all ?? a)['.'] === undefined && !isEmptySet(all ?? a)) {
    added = true;
    all ??= { ...a };
    all['.'] = emptySet;
  }
  if (all === undefined) return a;
  return added ? ordered(all) : all;
}

/** The set with its elements in the order in which upstream writes them. */
export function ordered(set: FieldSet): FieldSet {
  const sorted: Record<string, FieldSet> = {};
  for (const element of sortElements(Object.keys(set))) sorted[element] = set[element] ?? emptySet;
  return sorted;
}

/** Whether the path is in the set. */
export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return node !== undefined && isMember(node);
}

/** The set of one path. */
export function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}

/** All members as paths in upstream's order: those of a level, then what is below each; fields before keys, values and indexes. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const elements = sortElements(Object.keys(set).filter((element) => element !== '.'));
  const members = elements.filter((element) => isMember(set[element] ?? emptySet));
  return [
    ...members.map((element) => [...prefix, element]),
    ...elements.flatMap((element) => pathsOf(set[element] ?? emptySet, [...prefix, element])),
  ];
}
