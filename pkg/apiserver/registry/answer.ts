import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf, type KubeList, type KubeObject } from '../../api/object.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Entry } from '../watchcache/entry.ts';
import type { ListResult } from './list.ts';

/** What the registry answers with, before it is bytes (HTTPS) or references (in-process). */
export type Answer =
  | { readonly kind: 'entry'; readonly code: number; readonly definition: ResourceDefinition; readonly entry: Entry }
  | { readonly kind: 'list'; readonly list: ListResult }
  /** A Status, Scale, TokenRequest, review: no stored object. */
  | { readonly kind: 'object'; readonly code: number; readonly object: DeepReadonly<Record<string, unknown>> };

/** The object that an answer stands for. */
export function answerObject(answer: Answer): unknown {
  switch (answer.kind) {
    case 'entry':
      return answer.entry.object;
    case 'object':
      return answer.object;
    default: {
      const { definition, entries, resourceVersion, remainingItemCount } = answer.list;
      const list: KubeList<KubeObject> = {
        apiVersion: apiVersionOf(definition.type),
        kind: definition.listKind,
        metadata: {
          resourceVersion,
          ...(answer.list.continue === undefined ? {} : { continue: answer.list.continue }),
          ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
        },
        items: entries.map((entry) => entry.object),
      };
      return list;
    }
  }
}

/** The HTTP code of an answer. */
export function answerCode(answer: Answer): number {
  return answer.kind === 'list' ? 200 : answer.code;
}
