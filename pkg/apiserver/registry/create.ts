import { randomInt, randomUUID } from 'node:crypto';
import type { StrategyContext } from '../../api/definition.ts';
import {
  alreadyExists,
  badRequest,
  generateNameConflict,
  invalid,
  isStatusError,
  newStatus,
  StatusError,
} from '../../api/errors.ts';
import type { KubeObject } from '../../api/object.ts';
import { apiVersionOf } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import { validateObjectMeta } from '../../api/validation/object-meta.ts';
import type { Entry } from '../watchcache/entry.ts';
import { storedType } from '../watchcache/watch-cache.ts';
import { dryRunEntry, type RegistryCore, type WriteTarget } from './core.ts';
import { hasGeneration } from './generation.ts';
import { metadataRules } from './metadata-rules.ts';
import { isLarge, nextTurn, runSteps } from './next-turn.ts';
import { dedupOwnerReferences } from './owner-references.ts';

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const NAME_BASE_MAX = 63 - SUFFIX_LENGTH;
const NAME_ATTEMPTS = 8;

export function generateName(base: string): string {
  let name = base.slice(0, NAME_BASE_MAX);
  for (let i = 0; i < SUFFIX_LENGTH; i++) name += SUFFIX_ALPHABET[randomInt(SUFFIX_ALPHABET.length)];
  return name;
}

/**
 * Creates an object that has been decoded and defaulted (and belongs to this call). Resolves when it is durable and visible
 * in the cache.
 */
export async function createObject(
  core: RegistryCore,
  target: WriteTarget,
  object: KubeObject,
  options: { readonly apply?: boolean } = {},
): Promise<Entry> {
  const { definition, context } = target;
  const { engine, clock } = core.deps;
  const nowMs = clock.now();
  fillPlace(target, object);
  if (options.apply !== true) dedupOwnerReferences(object, 'before', context.warnings);
  // Who set what is decided before admission: what plugins add belongs to nobody.
  engine.complete(definition, object);
  await nextTurn(context);
  if (options.apply !== true) {
    const about = { definition, live: undefined, object, manager: target.fieldManager, subresource: '', nowMs };
    const tracking = runSteps(context, engine.trackUpdate({ ...about, isLarge: isLarge(context) }));
    if (tracking !== undefined) await tracking;
  }
  await nextTurn(context);
  if (await core.admit('admit', 'CREATE', target, object, undefined)) fillPlace(target, object);
  dedupOwnerReferences(object, 'after', context.warnings);
  if (object.metadata.resourceVersion) {
    throw new StatusError(newStatus(500, '', 'resourceVersion should not be set on objects to be created'));
  }
  const { metadata } = object;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = formatTime(nowMs);
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink'] as const) delete metadata[field];
  if (hasGeneration(definition)) metadata.generation = 1;
  const generated = !metadata.name && !!metadata.generateName;
  if (generated) metadata.name = generateName(metadata.generateName ?? '');
  const strategyContext: StrategyContext = { nowMs, user: context.user, subresource: '' };
  const { strategy } = definition;
  strategy.dropDisabled?.(object, undefined);
  if (strategy.prepareForCreate !== undefined) strategy.prepareForCreate(object, strategyContext);
  else if (definition.subresources.some((subresource) => subresource.name === 'status')) delete object['status'];
  const end = core.hooksOf(definition)?.beginCreate?.(object, target);
  let committed = false;
  try {
    engine.complete(definition, object);
    await nextTurn(context);
    const errors = [
      ...validateObjectMeta(metadata, metadataRules(definition)),
      ...(strategy.validate?.(object, strategyContext) ?? []),
      ...((await strategy.validateLater?.(object, undefined, strategyContext)) ?? []),
    ];
    if (errors.length > 0) throw invalid(storedType(definition), metadata.name ?? '', errors);
    context.warnings.push(...(strategy.warnings?.(object, undefined) ?? []));
    await nextTurn(context);
    await core.authorizeCreate(target);
    await core.admit('validate', 'CREATE', target, object, undefined);
    await nextTurn(context);
    if (target.dryRun) return dryRunEntry(object, 0);
    const entry = await commit(core, target, object, generated);
    committed = true;
    await nextTurn(context);
    return entry;
  } finally {
    end?.(committed);
  }
}

/** Creates until a generated name is free. What stands in the way of a name that a client generates is told in words of its own. */
async function commit(core: RegistryCore, target: WriteTarget, object: KubeObject, generated: boolean): Promise<Entry> {
  const base = object.metadata.generateName ?? '';
  for (let attempt = 1; ; attempt++) {
    try {
      return await core.commitCreate(target.definition, object, target.context);
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
      if (!generated || attempt === NAME_ATTEMPTS) throw occupied(core, target, object);
      object.metadata.name = generateName(base);
    }
  }
}

/** AlreadyExists, with what else is known: that the name was generated, that its holder is about to go. */
function occupied(core: RegistryCore, { definition }: WriteTarget, object: KubeObject): StatusError {
  const { name, namespace = '', generateName: base = '' } = object.metadata;
  const { status } = base === '' ? alreadyExists(definition.type, name) : generateNameConflict(definition.type, name);
  const holder = core.cacheOf(definition).get(namespace, name);
  if (holder?.object.metadata.deletionTimestamp === undefined) return new StatusError(status);
  return new StatusError({ ...status, message: `object is being deleted: ${status.message}` });
}

/** Puts the object where the path says, or refuses when the body says otherwise. */
export function fillPlace(target: WriteTarget, object: KubeObject): void {
  const { definition, name } = target;
  object.apiVersion = apiVersionOf(definition.type);
  object.kind = definition.type.kind;
  const { metadata } = object;
  fillNamespace(target, object);
  if (name === '') return;
  if (!metadata.name) metadata.name = name;
  else if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
}

/** Throws BadRequest when the body says another namespace than the path. */
export function fillNamespace({ definition, namespace }: WriteTarget, { metadata }: KubeObject): void {
  if (!definition.type.namespaced) {
    delete metadata.namespace;
    return;
  }
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  metadata.namespace = namespace;
}
