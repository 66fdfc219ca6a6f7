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
  /** The volume has this source. */
  check(volume: DeepReadonly<T>, path: string): FieldError[];
}

/** The sources of one type of volume by name, in the order in which upstream looks at them. */
export type VolumeSources<T> = ReadonlyMap<string, VolumeSource<T>>;

export function volumeSources<T>(sources: readonly VolumeSource<T>[]): VolumeSources<T> {
  return new Map(sources.map((source) => [source.name, source]));
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
      return value === undefined || value === null ? [] : check(value, path);
    },
  });
  return {
    source,
    requiring: (name, ...fields) => source(name, (value, path) => requireFields(value as object, fields, path)),
  };
}

/**
 * The one source that a volume has: of several the first one in upstream's order counts and further ones are refused. `complete`
 * adds to the first one's errors what depends on more than the source.
 */
export function validateOneSource<T extends object>(
  sources: VolumeSources<T>,
  volume: DeepReadonly<T>,
  path: string,
  complete: (name: keyof T & string, errors: FieldError[]) => FieldError[],
): FieldError[] {
  const [first, ...further] = sourcesOf(sources, volume);
  if (first === undefined) return [field.required(path, 'must specify a volume type')];
  const errors = complete(first.name, first.check(volume, `${path}.${first.at ?? first.name}`));
  for (const { name, secondAt = name } of further) {
    errors.push(field.forbidden(`${path}.${secondAt}`, 'may not specify more than 1 volume type'));
  }
  return errors;
}

/** Asks the volume's few fields which of them are sources: asking it for each of thirty sources takes ten times as long. */
function sourcesOf<T extends object>(sources: VolumeSources<T>, volume: DeepReadonly<T>): readonly VolumeSource<T>[] {
  const found = new Set<VolumeSource<T>>();
  const fields = volume as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    const source = sources.get(name);
    if (source !== undefined && fields[name] !== undefined && fields[name] !== null) found.add(source);
  }
  return found.size < 2 ? [...found] : [...sources.values()].filter((source) => found.has(source));
}
