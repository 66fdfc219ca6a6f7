import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest, newStatus, StatusError } from '../../api/errors.ts';
import { goQuote } from '../../api/validation/go-format.ts';
import { isPathSegmentName } from '../../api/validation/names.ts';
import type { PatchKind } from '../../client/client.ts';
import { accessForbidden } from '../authorization/forbidden.ts';
import type { Authorizer, RequestInfo } from '../contract.ts';
import type { Definitions } from '../definitions.ts';
import type { ObjectBody } from '../object-engine.ts';
import type { Answer } from '../registry/answer.ts';
import type { RegistryCore } from '../registry/core.ts';
import { type ResourceRequest, type Verb, verbs } from '../registry/registry.ts';
import { type WatchConsumer, watchObjects } from '../registry/watch.ts';
import { PathNotFound } from './plain-text-error.ts';
import type { RequestContext } from './request-context.ts';
import { withSelectors } from './request-info.ts';

export interface PipelineDeps {
  readonly core: RegistryCore;
  readonly definitions: Definitions;
  readonly authorizer: Authorizer;
  /** By `subresource` or `group/resource/subresource`; those not listed have the resource's own kind. */
  readonly subresources: ReadonlyMap<string, Verb>;
  /** Resources that are not stored (reviews, bindings), by `group/resource`. */
  readonly virtual: ReadonlyMap<string, Verb>;
}

/** The part of the pipeline that both front doors share: authorize, find the resource, admission and registry. */
export class Pipeline {
  readonly #deps: PipelineDeps;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
  }

  get core(): RegistryCore {
    return this.#deps.core;
  }

  /** Throws Forbidden. */
  async authorize(context: RequestContext): Promise<void> {
    const attributes = { ...withSelectors(context.info, context.query), user: context.user };
    const result = this.#deps.authorizer.authorize(attributes);
    const { decision, reason } = result instanceof Promise ? await result : result;
    if (context.audit !== undefined) {
      context.annotations.set('authorization.k8s.io/decision', decision === 'allow' ? 'allow' : 'forbid');
      context.annotations.set('authorization.k8s.io/reason', reason);
    }
    if (decision !== 'allow') throw accessForbidden(attributes, reason);
  }

  /** What the request is about; throws PathNotFound or MethodNotAllowed. */
  resolve(context: RequestContext): { definition: ResourceDefinition; connect: boolean } {
    const { info } = context;
    const definition = this.#deps.definitions.get(info.group, info.version, info.resource);
    if (definition === undefined) throw this.#unknown(info);
    const { namespaced } = definition.type;
    const misplaced =
      (info.namespace !== '' && !namespaced && info.resource !== 'namespaces') ||
      (info.namespace === '' && namespaced && info.name !== '');
    if (misplaced) throw definition.custom === true ? new PathNotFound() : unknownResource();
    const connect = this.#connects(definition, info);
    const [problem] = info.name === '' ? [] : isPathSegmentName(info.name);
    if (problem !== undefined) throw badRequest(`Name parameter invalid: ${goQuote(info.name)}: ${problem}`);
    const { deprecationWarning, removedRelease } = definition;
    if (deprecationWarning !== undefined && !context.warnings.includes(deprecationWarning)) {
      context.warnings.push(deprecationWarning);
      if (context.audit !== undefined) {
        context.annotations.set('k8s.io/deprecated', 'true');
        if (removedRelease !== undefined) context.annotations.set('k8s.io/removed-release', removedRelease);
      }
    }
    return { definition, connect };
  }

  /** Whether a request that has a route is for a stream or proxy. Throws NotFound, MethodNotAllowed. */
  #connects(definition: ResourceDefinition, info: RequestInfo): boolean {
    const { namespaced } = definition.type;
    if (info.subresource === '') {
      const isRoute = hasRoute(definition, info);
      if (!isRoute) throw unknownResource();
      if (!definition.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed();
      if (info.verb === 'create' && (info.name !== '' || (namespaced && info.namespace === '')))
        throw methodNotAllowed();
      if ((info.verb === 'update' || info.verb === 'patch') && info.name === '') throw methodNotAllowed();
      if (info.verb === 'deletecollection' && namespaced && info.namespace === '') throw methodNotAllowed();
      return false;
    }
    const subresource = definition.subresources.find(({ name }) => name === info.subresource);
    if (subresource === undefined) throw unknownResource();
    const connect = subresource.connect === true || info.subresource === 'log';
    if (!connect && info.subpath !== '') throw unknownResource();
    // Proxies take every method; that of OPTIONS has no verb.
    const isProxyOption = info.subresource === 'proxy' && info.verb === '';
    if (!isProxyOption && !subresource.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed();
    return connect;
  }

  /** Answers anything but watches and connects. */
  answer(
    context: RequestContext,
    definition: ResourceDefinition,
    body: () => Promise<ObjectBody | undefined>,
    patchKind?: PatchKind,
  ): Promise<Answer> {
    const { info } = context;
    const { group, resource } = definition.type;
    const request: ResourceRequest = { definition, context, body, ...(patchKind === undefined ? {} : { patchKind }) };
    const handler =
      info.subresource === ''
        ? this.#deps.virtual.get(`${group}/${resource}`)
        : (this.#deps.subresources.get(`${group}/${resource}/${info.subresource}`) ??
          this.#deps.subresources.get(info.subresource));
    const verb = handler ?? verbs[info.verb];
    if (verb === undefined) throw methodNotAllowed();
    // Without a handler nothing can be created below an object, nor anything that cannot be read afterwards.
    const plain = handler === undefined && info.verb === 'create';
    if (plain && (info.subresource !== '' || !definition.verbs.includes('get'))) throw unknownResource();
    return verb(this.#deps.core, request);
  }

  /** Versions that a built-in group does not have are answered like resources that it does not have. */
  #unknown({ group }: RequestInfo): StatusError {
    for (const { type, custom } of this.#deps.definitions.all()) {
      if (custom !== true && type.group === group) return unknownResource();
    }
    return new PathNotFound();
  }

  watch(context: RequestContext, definition: ResourceDefinition, open: () => WatchConsumer): Promise<void> {
    const { info, query, signal } = context;
    const namespace = info.namespace === '' || !definition.type.namespaced ? undefined : info.namespace;
    const name = info.name === '' ? {} : { name: info.name };
    return watchObjects(this.#deps.core, { definition, namespace, query, ...name }, open, signal);
  }
}

const ITEM_VERBS: ReadonlySet<string> = new Set(['get', 'update', 'patch', 'delete']);

/** Whether some method is served at the path: what can only be created has no paths of objects, nor one of all namespaces. */
function hasRoute({ type, verbs }: ResourceDefinition, { verb, name, namespace }: RequestInfo): boolean {
  if (verb === 'proxy') return false;
  if (name !== '') return verbs.some((one) => ITEM_VERBS.has(one));
  return !type.namespaced || namespace !== '' || verbs.includes('list');
}

/** Something that is not there below a group and version that are. */
export function unknownResource(): StatusError {
  return new StatusError(newStatus(404, 'NotFound', 'the server could not find the requested resource', {}));
}

export function methodNotAllowed(): StatusError {
  return new StatusError(
    newStatus(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
  );
}
