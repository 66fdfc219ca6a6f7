import { isStatusError } from '../../api/errors.ts';
import { type FieldSelector, parseFieldSelector, pinnedValue } from '../../api/field-selector.ts';
import { type LabelQuery, parseLabelQuery } from '../../api/label-query.ts';
import type { RequestInfo } from '../contract.ts';
import type { Query } from './query.ts';

/** A path that is no API resource: its verb is the method. */
export function nonResourceInfo(method: string, path: string): RequestInfo {
  return {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    subpath: '',
  };
}

const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize']);

/** Upstream's RequestInfoFactory: what a method and a path mean. The path is percent-decoded, an escaped slash divides as well. */
export function parseRequestInfo(method: string, path: string, query: Query): RequestInfo {
  // An empty segment within the path is the name of nothing.
  const segments = decodePath(path)
    .replace(/^\/+|\/+$/g, '')
    .split('/');
  const legacy = segments[0] === 'api';
  if (!legacy && segments[0] !== 'apis') return nonResourceInfo(method, path);
  const rest = segments.slice(legacy ? 2 : 3);
  if (rest.length === 0) return nonResourceInfo(method, path);
  const group = legacy ? '' : (segments[1] ?? '');
  const version = (legacy ? segments[1] : segments[2]) ?? '';
  let verb = verbOf(method);
  if (rest[0] === 'watch' || rest[0] === 'proxy') {
    if (rest.length < 2) return nonResourceInfo(method, path);
    // They only read: other methods are no verb there.
    verb = rest[0] === 'watch' && verb !== 'get' ? '' : rest[0];
    rest.shift();
  }
  let namespace = '';
  let parts = rest;
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] ?? '';
    if (namespace === '') rest.length = 0;
    if (rest.length > 2 && !(NAMESPACE_SUBRESOURCES.has(rest[2] ?? '') && rest.length === 3)) parts = rest.slice(2);
  }
  const [resource = '', named = '', subresource = ''] = parts;
  const name = named;
  if (name === '' && verb === 'get') verb = query.flag('watch') ? 'watch' : 'list';
  else if (name === '' && verb === 'delete') verb = 'deletecollection';
  const subpath = parts.length > 3 ? parts.slice(3).join('/') : '';
  return { isResourceRequest: true, path, verb, group, version, resource, subresource, namespace, name, subpath };
}

/** What selectors limit a request to; what cannot be read limits nothing: the request itself is refused later. */
export interface Selectors {
  readonly fieldSelector?: FieldSelector;
  readonly labelSelector?: LabelQuery;
}

/** Whether a path that is no API resource says that something is watched or proxied, but not what. */
export function isUndetermined(path: string): boolean {
  return /^\/+(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/(?:watch|proxy)\/*$/.test(path);
}

/** What authorization sees of selectors: a list, watch or deletecollection of one name counts as being about that object. */
export function withSelectors(info: RequestInfo, query: Query): RequestInfo & Selectors {
  const { verb } = info;
  if (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection') return info;
  const selectors = readSelectors(query.get('fieldSelector'), query.get('labelSelector'));
  if (selectors === undefined) return info;
  const name = pinnedValue(selectors.fieldSelector ?? [], 'metadata.name') ?? '';
  if (info.name !== '' || name === '' || name === '.' || name === '..' || /[/%]/.test(name)) {
    return { ...info, ...selectors };
  }
  return { ...info, name, ...selectors };
}

/** The selectors of two texts; undefined when there are none. */
export function readSelectors(fields: string, labels: string): Selectors | undefined {
  if (fields === '' && labels === '') return undefined;
  const fieldSelector = fields === '' ? undefined : readable(() => parseFieldSelector(fields));
  const labelSelector = labels === '' ? undefined : readable(() => parseLabelQuery(labels));
  return {
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isStatusError(error)) return undefined;
    throw error;
  }
}

const LONG_RUNNING: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

/** Requests that may go on for hours: watches and streams. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || info.verb === 'proxy' || LONG_RUNNING.has(info.subresource);
}

function verbOf(method: string): string {
  switch (method) {
    case 'POST':
      return 'create';
    case 'GET':
    case 'HEAD':
      return 'get';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    default:
      return '';
  }
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
