import type { StrategyContext } from '../definition.ts';
import type { KubeObject } from '../object.ts';
import { strategies } from './index.ts';

/** What tests of strategies share: one object taken through creation or an update as the registry would. */
const context: StrategyContext = { nowMs: Date.UTC(2030, 0, 1), subresource: '' };

export interface Outcome {
  readonly object: KubeObject;
  /** `path Type` of every error. */
  readonly errors: string[];
}

/** An object of this kind (in v1 unless the body says otherwise) with metadata that the registry would have set. */
export function newObject(key: string, body: Readonly<Record<string, unknown>>): KubeObject {
  const [group = '', kind = ''] = key.split('/');
  const metadata = { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: 't' };
  const own = (body.metadata ?? {}) as Record<string, unknown>;
  return structuredClone({
    ...body,
    apiVersion: body.apiVersion ?? (group === '' ? 'v1' : `${group}/v1`),
    kind,
    metadata: { ...metadata, ...own },
  }) as KubeObject;
}

export function create(key: string, body: Readonly<Record<string, unknown>>): Outcome {
  const strategy = strategies.get(key) ?? {};
  const object = newObject(key, body);
  strategy.default?.(object);
  strategy.dropDisabled?.(object, undefined);
  strategy.prepareForCreate?.(object, context);
  strategy.default?.(object);
  return { object, errors: describe(strategy.validate?.(object, context) ?? []) };
}

/** Changes a created object by `change` and updates it. */
export function update(
  key: string,
  body: Readonly<Record<string, unknown>>,
  change: (object: KubeObject) => void,
  subresource = '',
): Outcome {
  return updateStored(key, create(key, body).object, change, subresource);
}

/** Changes an object that is stored as it stands, its status included. */
export function updateStored(
  key: string,
  old: KubeObject,
  change: (object: KubeObject) => void,
  subresource = '',
): Outcome {
  const strategy = strategies.get(key) ?? {};
  const object = structuredClone(old);
  change(object);
  strategy.default?.(object);
  strategy.dropDisabled?.(object, old);
  strategy.prepareForUpdate?.(object, old, { ...context, subresource });
  return { object, errors: describe(strategy.validateUpdate?.(object, old, { ...context, subresource }) ?? []) };
}

function describe(errors: readonly { readonly field: string; readonly type: string }[]): string[] {
  return errors.map((error) => `${error.field} ${error.type.replace('FieldValue', '')}`);
}

/** The warnings about a created object. */
export function warningsOf(key: string, body: Readonly<Record<string, unknown>>): string[] {
  return strategies.get(key)?.warnings?.(create(key, body).object, undefined) ?? [];
}
