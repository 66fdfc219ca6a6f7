import { notFound } from '../../api/errors.ts';
import type { KubeObject } from '../../api/object.ts';
import { matches, parseFilter } from '../selection/filter.ts';
import { Entry } from '../watchcache/entry.ts';
import type { ListResult } from './list.ts';
import { parseListOptions } from './list-options.ts';
import type { Verb } from './registry.ts';

/** GET and LIST of objects that are made when they are asked for. `called`: what they are called where there is none. */
export function computedVerb(read: (namespace?: string) => Promise<readonly object[]>, called?: string): Verb {
  return async (_core, { definition, context }) => {
    const { info, query } = context;
    const namespace = info.namespace === '' ? undefined : info.namespace;
    const objects = (await read(namespace)) as readonly KubeObject[];
    if (info.name !== '') {
      const object = objects.find(({ metadata }) => metadata.name === info.name);
      const key = namespace === undefined ? info.name : `${namespace}/${info.name}`;
      const { group, resource } = definition.type;
      if (object === undefined) throw notFound({ group, resource: called ?? resource }, key);
      return { kind: 'entry', code: 200, definition, entry: new Entry(object, 0) };
    }
    parseListOptions(query, 'list');
    const labelSelector = query.get('labelSelector');
    const filter = parseFilter(definition, namespace, { labelSelector, fieldSelector: query.get('fieldSelector') });
    const entries = objects.map((object) => new Entry(object, 0)).filter((entry) => matches(filter, entry));
    const list: ListResult = { definition, entries, resourceVersion: '' };
    return { kind: 'list', list };
  };
}
