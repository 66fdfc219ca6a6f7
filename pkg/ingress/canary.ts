import type { Backend, CanaryRoute, Route } from './routing-table.ts';

/** What of a request decides about canaries. */
export interface CanaryRequest {
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  /** Whether the client has been given an endpoint of this backend to stay with. */
  staysWith(backend: Backend): boolean;
}

/**
 * The backend of a request: where the client stays, else the canary's when its header, cookie or weight says so. `random`: in
 * [0, 1).
 */
export function chooseBackend(route: Route, request: CanaryRequest, random: () => number): Backend | undefined {
  const isSticky = route.settings.affinity !== undefined && route.canaries.some(({ canary }) => canary.sticky);
  if (isSticky && route.backend !== undefined && request.staysWith(route.backend)) return route.backend;
  for (const { canary, backend } of isSticky ? route.canaries : [])
    if (canary.sticky && request.staysWith(backend)) return backend;
  for (const candidate of route.canaries) if (isForCanary(candidate, request, random)) return candidate.backend;
  return route.backend;
}

function isForCanary({ canary, headerRegex }: CanaryRoute, request: CanaryRequest, random: () => number): boolean {
  if (canary.header !== undefined) {
    const value = request.header(canary.header);
    if (value !== undefined) {
      if (canary.headerValue !== undefined) {
        if (value === canary.headerValue) return true;
      } else if (canary.headerPattern !== undefined) {
        if (headerRegex?.found(value) === true) return true;
      } else if (value === 'always') return true;
      else if (value === 'never') return false;
    }
  }
  if (canary.cookie !== undefined) {
    const value = request.cookie(canary.cookie);
    if (value === 'always') return true;
    if (value === 'never') return false;
  }
  return canary.weight > 0 && random() * canary.weightTotal < canary.weight;
}

/** The value of one cookie of a Cookie header. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
