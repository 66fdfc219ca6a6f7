import type { ResourceDefinition } from '../../api/definition.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Entry } from '../watchcache/entry.ts';
import type { ListResult } from './list.ts';

/** What the registry answers with, before it is bytes (HTTPS) or references (in-process). */
export type Answer =
  | { readonly kind: 'entry'; readonly code: number; readonly definition: ResourceDefinition; readonly entry: Entry }
  | { readonly kind: 'list'; readonly list: ListResult }
  /** A Status, Scale, TokenRequest, review: no stored object. */
  | { readonly kind: 'object'; readonly code: number; readonly object: DeepReadonly<Record<string, unknown>> };
