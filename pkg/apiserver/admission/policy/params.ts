import type { ResourceDefinition } from '../../../api/definition.ts';
import type { ParamKind, ParamRef } from '../../../api/generated/types.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject } from '../../../api/object.ts';
import { matchesLabelSelector } from '../../../api/selector.ts';
import type { ObjectReader } from '../../contract.ts';
import type { Definitions } from '../../definitions.ts';
import { storedType } from '../../watchcache/watch-cache.ts';

/** A policy or binding that cannot be used as it is. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

export type Param = DeepReadonly<KubeObject>;

export interface ParamsDeps {
  readonly reader: ObjectReader;
  readonly definitions: Definitions;
}

/** The resource of a policy's parameters. Throws ConfigurationError when nothing of that kind is served. */
export function paramDefinition(
  { apiVersion = '', kind = '' }: DeepReadonly<ParamKind>,
  definitions: Definitions,
): ResourceDefinition {
  for (const definition of definitions.all()) {
    if (definition.type.kind === kind && apiVersionOf(definition.type) === apiVersion) return definition;
  }
  throw new ConfigurationError(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`);
}

/**
 * The parameters that a binding names for a request in `namespace`, each of which the policy is evaluated with; undefined
 * stands for none. Throws ConfigurationError.
 */
export async function collectParams(
  definition: ResourceDefinition | undefined,
  ref: DeepReadonly<ParamRef> | undefined,
  namespace: string,
  { reader }: ParamsDeps,
): Promise<readonly (Param | undefined)[]> {
  if (definition === undefined || ref === undefined) return [undefined];
  const found = findParams(definition, ref, paramsNamespace(definition, ref, namespace), reader);
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  const { storedAs } = definition;
  await storedAs?.prepare?.(found, 'served');
  return storedAs === undefined ? found : found.map((param) => storedAs.fromStored(param));
}

function paramsNamespace(
  { type }: ResourceDefinition,
  { namespace = '' }: DeepReadonly<ParamRef>,
  ofRequest: string,
): string {
  if (!type.namespaced) {
    if (namespace === '') return '';
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  if (namespace !== '') return namespace;
  if (ofRequest !== '') return ofRequest;
  const problem = 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources';
  throw new ConfigurationError(problem);
}

function findParams(
  definition: ResourceDefinition,
  { name, selector }: DeepReadonly<ParamRef>,
  namespace: string,
  reader: ObjectReader,
): Param[] {
  const type = storedType(definition);
  if (name) {
    const param = reader.get(type, { name, ...(namespace === '' ? {} : { namespace }) });
    return param === undefined ? [] : [param];
  }
  if (selector === undefined) throw new ConfigurationError('one of name or selector must be provided');
  const all = [...reader.list(type, namespace === '' ? undefined : namespace)];
  return all.filter(({ metadata }) => matchesLabelSelector(selector, metadata.labels));
}
