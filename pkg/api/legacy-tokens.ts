/**
 * What the API server and the controllers tell each other of ServiceAccount tokens that are kept in Secrets: the server when
 * they were used last, the cleaner which it has given up.
 */

/** Label of a Secret: the day on which its token was used last. */
export const LAST_USED_LABEL = 'kubernetes.io/legacy-token-last-used';
/** Label of a Secret: the day since which its token is no longer accepted. */
export const INVALID_SINCE_LABEL = 'kubernetes.io/legacy-token-invalid-since';

/** Says in `data.since` from which day on all uses have been noted. */
export const TRACKING_CONFIG_MAP = {
  namespace: 'kube-system',
  name: 'kube-apiserver-legacy-service-account-token-tracking',
};

/** `2026-01-31` in UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The start of a day written as above, in milliseconds since 1970; undefined when it is none. */
export function dayMs(day: string | undefined): number | undefined {
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const ms = Date.parse(`${day}T00:00:00Z`);
  // Date.parse takes February 30 for March 2.
  return Number.isNaN(ms) || dayOf(ms) !== day ? undefined : ms;
}
