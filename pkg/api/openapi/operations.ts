import { isAnsweredWithObject } from '../answers-to-deletes.ts';
import type { ResourceDefinition, SubresourceDefinition, Verb } from '../definition.ts';
import type { ResourceType } from '../object.ts';
import { META, SCALAR_NAMES, typeNameOf } from './names.ts';
import { groupVersionID, tagOf } from './operation-names.ts';
import type { OpenAPINode } from './render.ts';

/** One operation of a path, before it is written as OpenAPI v2 or v3. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';
  readonly id: string;
  readonly tag: string;
  /** What is done to which kind; absent: a document is read. */
  readonly action?: string;
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly query: readonly QueryParameter[];
  /** The type of the body: a name in the document. */
  readonly body?: string;
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
  /** The type of the answer; absent: text. */
  readonly answer?: string;
  readonly codes: readonly number[];
}

export interface QueryParameter {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean';
}

export interface PathItem {
  readonly path: string;
  /** Names in braces. */
  readonly parameters: readonly string[];
  readonly operations: readonly Operation[];
}

export const PRODUCES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const LIST_PRODUCES = [
  ...PRODUCES,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];
/** Custom resources have no other form. */
const CUSTOM_TYPES = ['application/json', 'application/yaml'];
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const ANY_TYPE = ['*/*'];

const text = (name: string): QueryParameter => ({ name, type: 'string' });
const integer = (name: string): QueryParameter => ({ name, type: 'integer' });
const boolean = (name: string): QueryParameter => ({ name, type: 'boolean' });

const WRITE = [text('dryRun'), text('fieldManager'), text('fieldValidation')];
const LIST = [
  boolean('allowWatchBookmarks'),
  text('continue'),
  text('fieldSelector'),
  text('labelSelector'),
  integer('limit'),
  text('resourceVersion'),
  text('resourceVersionMatch'),
  boolean('sendInitialEvents'),
  text('shardSelector'),
  integer('timeoutSeconds'),
  boolean('watch'),
];
const DELETE = [
  text('dryRun'),
  integer('gracePeriodSeconds'),
  boolean('ignoreStoreReadErrorWithClusterBreakingPotential'),
  boolean('orphanDependents'),
  text('propagationPolicy'),
];
const LOG = [
  text('container'),
  boolean('follow'),
  boolean('insecureSkipTLSVerifyBackend'),
  integer('limitBytes'),
  boolean('previous'),
  integer('sinceSeconds'),
  text('stream'),
  integer('tailLines'),
  boolean('timestamps'),
];
const STREAMS = [boolean('stderr'), boolean('stdin'), boolean('stdout'), boolean('tty'), text('container')];
const CONNECT_QUERY: Readonly<Record<string, readonly QueryParameter[]>> = {
  attach: STREAMS,
  exec: [...STREAMS, text('command')],
  portforward: [integer('ports')],
  proxy: [text('path')],
};

/** The paths of one resource. */
export function pathsOf(definition: ResourceDefinition): PathItem[] {
  const { type, verbs } = definition;
  const custom = definition.custom === true;
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced ? '/namespaces/{namespace}' : '';
  const base = `${root}${scope}/${type.resource}`;
  const scopeParameters = type.namespaced ? ['namespace'] : [];
  const own = typeNameOf(type, custom);
  const make = operationMaker(type, own, custom);
  const items: PathItem[] = [];
  const add = (path: string, parameters: readonly string[], operations: readonly Operation[]): void => {
    if (operations.length > 0) items.push({ path, parameters, operations });
  };
  const has = (verb: Verb): boolean => verbs.includes(verb);
  if (type.namespaced && has('list')) {
    add(`${root}/${type.resource}`, [], [make('list', 'get', `list${make.middle}${type.kind}ForAllNamespaces`)]);
  }
  add(base, scopeParameters, [
    ...(has('list') ? [make('list', 'get', `list${make.scoped}${type.kind}`)] : []),
    ...(has('create') ? [make('post', 'post', `create${make.scoped}${type.kind}`)] : []),
    ...(has('deletecollection')
      ? [make('deletecollection', 'delete', `delete${make.middle}Collection${make.scope}${type.kind}`)]
      : []),
  ]);
  const one = [...scopeParameters, 'name'];
  add(`${base}/{name}`, one, [
    ...(has('get') ? [make('get', 'get', `read${make.scoped}${type.kind}`)] : []),
    ...(has('update') ? [make('put', 'put', `replace${make.scoped}${type.kind}`)] : []),
    ...(has('delete') ? [make('delete', 'delete', `delete${make.scoped}${type.kind}`)] : []),
    ...(has('patch') ? [make('patch', 'patch', `patch${make.scoped}${type.kind}`)] : []),
  ]);
  if (has('watch') && !custom) items.push(...watchPaths(type, root, make));
  for (const sub of definition.subresources) {
    add(`${base}/{name}/${sub.name}`, one, subresourceOperations(definition, sub));
    if (sub.connect && sub.name === 'proxy') {
      add(`${base}/{name}/proxy/{path}`, [...one, 'path'], subresourceOperations(definition, sub, 'WithPath'));
    }
  }
  return items;
}

/** The older form of watches, under paths of their own. */
function watchPaths({ namespaced, resource, kind }: ResourceType, root: string, make: OperationMaker): PathItem[] {
  const { middle, scoped } = make;
  const within = `${root}/watch${namespaced ? '/namespaces/{namespace}' : ''}/${resource}`;
  const parameters = namespaced ? ['namespace'] : [];
  const all = { path: `${root}/watch/${resource}`, parameters: [] };
  return [
    ...(namespaced
      ? [{ ...all, operations: [make('watchlist', 'get', `watch${middle}${kind}ListForAllNamespaces`)] }]
      : []),
    { path: within, parameters, operations: [make('watchlist', 'get', `watch${scoped}${kind}List`)] },
    {
      path: `${within}/{name}`,
      parameters: [...parameters, 'name'],
      operations: [make('watch', 'get', `watch${scoped}${kind}`)],
    },
  ];
}

interface OperationMaker {
  (action: string, method: Operation['method'], id: string): Operation;
  /** `CoreV1`, `AppsV1`. */
  readonly middle: string;
  /** `Namespaced` or nothing. */
  readonly scope: string;
  readonly scoped: string;
}

function operationMaker(type: ResourceType, typeName: string, custom: boolean): OperationMaker {
  const middle = groupVersionID(type);
  const scope = type.namespaced ? 'Namespaced' : '';
  const make = (action: string, method: Operation['method'], id: string): Operation => ({
    method,
    id,
    tag: tagOf(type),
    action,
    kind: { group: type.group, version: type.version, kind: type.kind },
    consumes: custom ? CUSTOM_TYPES : ANY_TYPE,
    produces: custom ? CUSTOM_TYPES : STREAMED.has(action) ? LIST_PRODUCES : PRODUCES,
    ...shapeOf(action, typeName, custom),
    ...(action === 'delete' && isAnsweredWithObject(type) ? { answer: typeName } : {}),
  });
  return Object.assign(make, { middle, scope, scoped: `${middle}${scope}` });
}

const STATUS = `${META}.Status`;
const DELETE_OPTIONS = `${META}.DeleteOptions`;
const STREAMED: ReadonlySet<string> = new Set(['list', 'watch', 'watchlist']);

function shapeOf(
  action: string,
  typeName: string,
  custom: boolean,
): Pick<Operation, 'query' | 'codes' | 'answer'> & Partial<Pick<Operation, 'body' | 'consumes'>> {
  switch (action) {
    case 'list':
      return { query: LIST, answer: `${typeName}List`, codes: [200] };
    case 'watch':
    case 'watchlist':
      return { query: LIST, answer: `${META}.WatchEvent`, codes: [200] };
    case 'post':
      return { query: WRITE, body: typeName, answer: typeName, codes: [200, 201, 202] };
    case 'put':
      return { query: WRITE, body: typeName, answer: typeName, codes: [200, 201] };
    case 'patch':
      return {
        query: [...WRITE, boolean('force')],
        body: SCALAR_NAMES.patch,
        consumes: custom ? PATCH_TYPES.filter((one) => !one.includes('strategic')) : PATCH_TYPES,
        answer: typeName,
        codes: custom ? [200] : [200, 201],
      };
    case 'delete':
      return { query: DELETE, body: DELETE_OPTIONS, answer: STATUS, codes: [200, 202] };
    case 'deletecollection':
      // Upstream takes a deletion of custom resources for a list.
      if (custom) return { query: LIST, answer: STATUS, codes: [200] };
      return {
        query: [...DELETE, ...LIST.filter((one) => one.name !== 'watch' && one.name !== 'allowWatchBookmarks')],
        body: DELETE_OPTIONS,
        answer: STATUS,
        codes: [200],
      };
    default:
      return { query: custom ? [text('resourceVersion')] : [], answer: typeName, codes: [200] };
  }
}

const VERB_OPERATIONS: readonly (readonly [
  verb: Verb | undefined,
  method: Operation['method'],
  action: string,
  id: string,
])[] = [
  ['get', 'get', 'get', 'read'],
  ['update', 'put', 'put', 'replace'],
  ['create', 'post', 'post', 'create'],
  ['delete', 'delete', 'delete', 'delete'],
  [undefined, 'options', 'connect', 'connect'],
  [undefined, 'head', 'connect', 'connect'],
  ['patch', 'patch', 'patch', 'patch'],
];

function subresourceOperations(definition: ResourceDefinition, sub: SubresourceDefinition, suffix = ''): Operation[] {
  const { type } = definition;
  const own = { group: type.group, version: type.version, kind: type.kind };
  const of = { group: sub.group ?? type.group, version: sub.version ?? type.version, kind: sub.kind };
  // Whatever the body of a custom resource's scale is, it is told of as the resource.
  const kind = definition.custom === true ? own : of;
  const body = { ...type, ...of };
  const isOwn = sub.kind === type.kind && sub.group === undefined;
  const make = operationMaker(type, typeNameOf(body, isOwn && definition.custom === true), definition.custom === true);
  const name = sub.name.charAt(0).toUpperCase() + sub.name.slice(1);
  const operations: Operation[] = [];
  for (const [verb, method, action, id] of VERB_OPERATIONS) {
    // What has no verb is for proxies, which take every method.
    const isServed = verb === undefined ? sub.connect && sub.name === 'proxy' : sub.verbs.includes(verb);
    if (!isServed) continue;
    if (sub.connect) {
      const word = method.charAt(0).toUpperCase() + method.slice(1);
      const connect = make('connect', method, `connect${make.middle}${word}${make.scope}${type.kind}${name}${suffix}`);
      operations.push({ ...asText(connect), kind, query: CONNECT_QUERY[sub.name] ?? [], produces: ANY_TYPE });
    } else {
      const operation = { ...make(action, method, `${id}${make.scoped}${type.kind}${name}${suffix}`), kind };
      operations.push(
        sub.name === 'log' ? { ...asText(operation), query: LOG, produces: ['text/plain', ...PRODUCES] } : operation,
      );
    }
  }
  return operations;
}

function asText({ answer: _, ...operation }: Operation): Operation {
  return operation;
}

/** The marks that kubectl finds operations by. */
export function operationMarks({ action, kind }: Operation): OpenAPINode {
  if (action === undefined) return {};
  return { 'x-kubernetes-action': action, 'x-kubernetes-group-version-kind': kind };
}
