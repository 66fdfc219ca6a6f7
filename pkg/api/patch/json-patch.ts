import { cloneJSON, equalJSON } from '../../base/json.ts';
import { badRequest, newStatus, StatusError } from '../errors.ts';
import { jsonKind, notApplicable, PatchTestFailed } from './errors.ts';
import { isObject, type JSONObject, member, setMember } from './members.ts';

/** Most operations that one patch may have. */
const maxOperations = 10_000;
/** How much the `copy` operations of one patch may add together, in bytes of JSON. */
const maxCopiedBytes = 3 * 1024 * 1024;

type Container = JSONObject | unknown[];

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: unknown;
}

/**
 * Applies a JSON Patch (RFC 6902) and returns a new document. Where upstream's library is more lenient than the RFC, so is
 * this: `replace` may create a member, array indexes may be negative, a first path segment is skipped whatever it is, and
 * a missing `value` counts as null. The root can be replaced and tested but not added, removed, moved or copied.
 *
 * Throws BadRequest for a malformed patch, RequestEntityTooLarge for too many operations, and 422 when an operation
 * does not apply.
 */
export function applyJSONPatch<T>(doc: T, ops: unknown): T {
  const operations = decode(ops);
  let root: unknown = cloneJSON(doc);
  let copiedBytes = 0;
  for (const operation of operations) {
    if (operation.op === 'replace' && operation.path === '') {
      if (typeof operation.value !== 'object' || operation.value === null) {
        throw notApplicable('replace operation value must be object or array');
      }
      root = cloneJSON(operation.value);
      continue;
    }
    if (operation.op === 'copy') {
      copiedBytes += copyOperation(root, operation, copiedBytes);
      continue;
    }
    applyOperation(root, operation);
  }
  return root as T;
}

/**
 * What field validation says about members that no operation has: `unknown field "[0].valu"`. Upstream prefixes each
 * with `json patch `.
 */
export function unknownOperationFields(ops: unknown): string[] {
  if (!Array.isArray(ops)) return [];
  const known = new Set(['op', 'path', 'from', 'value']);
  return ops.flatMap((op, index) =>
    isObject(op)
      ? Object.keys(op)
          .filter((key) => !known.has(key))
          .map((key) => `json patch unknown field "[${index}].${key}"`)
      : [],
  );
}

function decode(ops: unknown): Operation[] {
  // No list of operations is an empty one.
  if (ops === null) return [];
  if (!Array.isArray(ops)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(ops)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  const operations = ops.map(decodeOperation);
  if (operations.length > maxOperations) {
    throw new StatusError(
      newStatus(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
      ),
    );
  }
  return operations;
}

function decodeOperation(op: unknown): Operation {
  if (!isObject(op)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(op)} into Go value of type handlers.jsonPatchOp`,
    );
  }
  return {
    op: stringMember(op, 'op'),
    path: stringMember(op, 'path'),
    from: stringMember(op, 'from'),
    value: member(op, 'value') ?? null,
  };
}

function stringMember(op: JSONObject, name: string): string {
  const value = member(op, name);
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(value)} into Go struct field jsonPatchOp.${name} of type string`,
    );
  }
  return value;
}

function applyOperation(root: unknown, operation: Operation): void {
  const { op, path } = operation;
  switch (op) {
    case 'add': {
      const { container, key } = find(root, path, op);
      add(container, key, cloneJSON(operation.value));
      return;
    }
    case 'remove': {
      const { container, key } = find(root, path, op);
      remove(container, key);
      return;
    }
    case 'replace': {
      const { container, key } = find(root, path, op);
      if (Array.isArray(container)) container[indexOf(container, key)] = cloneJSON(operation.value);
      else setMember(container, key, cloneJSON(operation.value));
      return;
    }
    case 'move': {
      const source = find(root, operation.from, op);
      const value = get(source.container, source.key);
      remove(source.container, source.key);
      const target = find(root, path, op);
      add(target.container, target.key, value);
      return;
    }
    case 'test': {
      if (!equalJSON(path === '' ? root : valueAt(root, path), operation.value)) {
        throw notApplicable(new PatchTestFailed(`testing value ${path} failed`));
      }
      return;
    }
    default:
      throw notApplicable(`Unexpected kind: ${op}`);
  }
}

function valueAt(root: unknown, path: string): unknown {
  const { container, key } = find(root, path, 'test');
  return get(container, key) ?? null;
}

/** Returns the size of what was copied, in bytes of JSON. */
function copyOperation(root: unknown, operation: Operation, copiedBytes: number): number {
  const source = find(root, operation.from, 'copy');
  const value = get(source.container, source.key) ?? null;
  const target = find(root, operation.path, 'copy');
  const sizeBytes = value === null ? 0 : Buffer.byteLength(JSON.stringify(value));
  if (copiedBytes + sizeBytes > maxCopiedBytes) {
    throw notApplicable(
      `Unable to complete the copy, the accumulated size increase of copy is ${copiedBytes + sizeBytes}, exceeding the limit ${maxCopiedBytes}`,
    );
  }
  add(target.container, target.key, cloneJSON(value));
  return sizeBytes;
}

function find(root: unknown, path: string, op: string): { container: Container; key: string } {
  const segments = path.split('/');
  let current = root;
  for (let i = 1; i < segments.length - 1; i++) {
    current = isContainer(current) ? get(current, unescapeSegment(segments[i] ?? '')) : undefined;
  }
  if (segments.length < 2 || !isContainer(current)) {
    throw notApplicable(`${op} operation does not apply: doc is missing path: "${path}"`);
  }
  return { container: current, key: unescapeSegment(segments[segments.length - 1] ?? '') };
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** RFC 6901: `~1` stands for `/`, `~0` for `~`. */
function unescapeSegment(segment: string): string {
  return segment.includes('~') ? segment.replaceAll('~1', '/').replaceAll('~0', '~') : segment;
}

function get(container: Container, key: string): unknown {
  return Array.isArray(container) ? container[indexOf(container, key)] : member(container, key);
}

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) {
    container.splice(indexOf(container, key), 1);
    return;
  }
  if (!Object.hasOwn(container, key)) throw notApplicable(`Unable to remove nonexistent key: ${key}`);
  delete container[key];
}

function add(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) setMember(container, key, value);
  else if (key === '-') container.push(value);
  else container.splice(parseIndex(key, container.length + 1), 0, value);
}

function indexOf(array: unknown[], key: string): number {
  return parseIndex(key, array.length);
}

/** The position that `key` names in an array of `length`; negative ones count from its end. */
function parseIndex(key: string, length: number): number {
  const index = /^[+-]?[0-9]+$/.test(key) ? Number(key) : Number.NaN;
  const position = index < 0 ? index + length : index;
  if (!(position >= 0 && position < length)) throw notApplicable(`Unable to access invalid index: ${key}`);
  return position;
}
