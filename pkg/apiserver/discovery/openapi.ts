import type { Definitions } from '../definitions.ts';
import type { PathHandler } from '../http/request-handler.ts';

/** /openapi/v2 and /openapi/v3. */
export function openAPIHandler(_definitions: Definitions): PathHandler {
  return ({ context }) => {
    if (!context.info.path.startsWith('/openapi/')) return false;
    return false;
  };
}
