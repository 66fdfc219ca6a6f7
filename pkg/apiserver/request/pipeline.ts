import type { ResourceDefinition } from '../../api/definition.ts';
import { newStatus, StatusError } from '../../api/errors.ts';
import type { PatchKind } from '../../client/client.ts';
import { accessForbidden } from '../authorization/forbidden.ts';
import type { Authorizer } from '../contract.ts';
import type { Definitions } from '../definitions.ts';
import type { ObjectBody } from '../object-engine.ts';
import type { Answer } from '../registry/answer.ts';
import type { RegistryCore } from '../registry/core.ts';
import { type ResourceRequest, type Verb, verbs } from '../registry/registry.ts';
import { type WatchConsumer, watchObjects } from '../registry/watch.ts';
import type { RequestContext } from './request-context.ts';
import { withSelectedName } from './request-info.ts';

/** A path that nothing serves: `404 page not found` over HTTP. */
export class PathNotFound extends StatusError {
  constructor() {
    super(newStatus(404, 'NotFound', 'the server could not find the requested resource'));
  }
}

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
    const attributes = { ...withSelectedName(context.info, context.query), user: context.user };
    const result = this.#deps.authorizer.authorize(attributes);
    const { decision, reason } = result instanceof Promise ? await result : result;
    if (decision !== 'allow') throw accessForbidden(attributes, reason);
  }

  /** What the request is about; throws PathNotFound or MethodNotAllowed. */
  resolve(context: RequestContext): { definition: ResourceDefinition; connect: boolean } {
    const { info } = context;
    const definition = this.#deps.definitions.get(info.group, info.version, info.resource);
    if (definition === undefined) throw new PathNotFound();
    const { namespaced } = definition.type;
    if (info.namespace !== '' && !namespaced && info.resource !== 'namespaces') throw new PathNotFound();
    if (info.namespace === '' && namespaced && info.name !== '') throw new PathNotFound();
    if (info.subresource === '') {
      if (!definition.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed();
      if (info.verb === 'create' && (info.name !== '' || (namespaced && info.namespace === '')))
        throw methodNotAllowed();
      if ((info.verb === 'update' || info.verb === 'patch') && info.name === '') throw methodNotAllowed();
      if (info.verb === 'deletecollection' && namespaced && info.namespace === '') throw methodNotAllowed();
      return { definition, connect: false };
    }
    const subresource = definition.subresources.find(({ name }) => name === info.subresource);
    if (subresource === undefined) throw new PathNotFound();
    const connect = subresource.connect === true;
    if (!connect && info.subpath !== '') throw new PathNotFound();
    if (!subresource.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed();
    return { definition, connect };
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
    return verb(this.#deps.core, request);
  }

  watch(context: RequestContext, definition: ResourceDefinition, open: () => WatchConsumer): Promise<void> {
    const { info, query, signal } = context;
    const namespace = info.namespace === '' || !definition.type.namespaced ? undefined : info.namespace;
    const name = info.name === '' ? {} : { name: info.name };
    return watchObjects(this.#deps.core, { definition, namespace, query, ...name }, open, signal);
  }
}

export function methodNotAllowed(): StatusError {
  return new StatusError(
    newStatus(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
  );
}
