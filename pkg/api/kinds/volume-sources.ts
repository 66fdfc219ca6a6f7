import type { DeepReadonly } from '../../base/json.ts';
import * as field from '../validation/field-error.ts';
import { requireFields } from './volume-source-checks.ts';

type FieldError = field.FieldError;

/** A source that volumes of type T can have. */
export interface VolumeSource<T> {
  readonly name: keyof T & string;
  /** Where upstream reports what is wrong with the source, when not at its name. */
  readonly at?: string;
  /** Where upstream reports a second source, when it misspells the name. */
  readonly secondAt?: string;
  /** Undefined when the volume has no such source. */
  check(volume: DeepReadonly<T>, path: string): FieldError[] | undefined;
}

/** Makers of the sources of one type of volume. */
export interface VolumeSourceMakers<T> {
  source<K extends keyof T & keyof DeepReadonly<T> & string>(
    name: K,
    check: (value: NonNullable<DeepReadonly<T>[K]>, path: string) => FieldError[],
    places?: Pick<VolumeSource<T>, 'at' | 'secondAt'>,
  ): VolumeSource<T>;
  /** A source of which only some fields must be there. */
  requiring(name: keyof T & keyof DeepReadonly<T> & string, ...fields: string[]): VolumeSource<T>;
}

export function volumeSourceMakers<T>(): VolumeSourceMakers<T> {
  const source: VolumeSourceMakers<T>['source'] = (name, check, places = {}) => ({
    name,
    ...places,
    check(volume, path) {
      const value = volume[name];
      return value === undefined || value === null ? undefined : check(value, path);
    },
  });
  return {
    source,
    requiring: (name, ...fields) => source(name, (value, path) => requireFields(value as object, fields, path)),
  };
}

/**
 * The one source that a volume has: of `sources`, which are in the order in which upstream looks at them, the first counts
 * and further ones are refused. `complete` adds to the first one's errors what depends on more than the source.
 */
export function validateOneSource<T>(
  sources: readonly VolumeSource<T>[],
  volume: DeepReadonly<T>,
  path: string,
  complete: (name: keyof T & string, errors: FieldError[]) => FieldError[],
): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  for (const { name, at = name, secondAt = name, check } of sources) {
    const own = check(volume, `${path}.${at}`);
    if (own === undefined) continue;
    if (count > 0) errors.push(field.forbidden(`${path}.${secondAt}`, 'may not specify more than 1 volume type'));
    else errors.push(...complete(name, own));
    count++;
  }
  if (count === 0) errors.push(field.required(path, 'must specify a volume type'));
  return errors;
}
