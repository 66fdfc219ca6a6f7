import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { TWO_VARIABLE_MACROS } from '../macros.ts';
import { GrowingMap, type MapValue, mapKey, type Value } from '../values.ts';

/** all, exists, existsOne, transformList, transformMap and transformMapEntry with a key or an index beside the value. */
export function twoVariablesLibrary(): Library {
  return {
    name: 'two-variables',
    macros: TWO_VARIABLE_MACROS,
    overloads: [
      overload('@mapInsert_map_key_value', 'cel.@mapInsert(map<K, V>, K, V) map<K, V>', insert),
      overload(
        '@mapInsert_map_map',
        'cel.@mapInsert(map<K, V>, map<K, V>) map<K, V>',
        (map: MapValue, more: MapValue): Value => {
          let grown: Value = map;
          for (const key of more.keys()) grown = insert(grown as MapValue, key, more.get(mapKey(key) ?? '') ?? null);
          return grown;
        },
      ),
    ],
  };
}

/** Only folds call this, on a map that nothing else holds; the first entry starts a map that grows in place. */
function insert(map: MapValue, key: Value, value: Value): Value {
  const hashed = mapKey(key);
  if (hashed === undefined) throw new Failure('unsupported key type');
  if (map.has(hashed)) throw new Failure(`insert failed: key ${String(hashed)} already exists`);
  const grown = map instanceof GrowingMap ? map : new GrowingMap();
  grown.set(hashed, key, value);
  return grown;
}
