import { setFlagsFromString } from 'node:v8';

/** After how many calls V8 makes better code of a function. Why these: docs/adrs/0023-code-is-optimized-sooner.md. */
export const COUNTS = {
  'invocation-count-for-maglev': 100,
  'invocation-count-for-turbofan': 500,
  'minimum-invocations-after-ic-update': 100,
} as const;

/**
 * Has V8 optimize functions after fewer calls. For a server that runs: while it starts, optimizing takes more time than it
 * saves.
 */
export function optimizeSooner(): void {
  for (const [flag, count] of Object.entries(COUNTS)) setFlagsFromString(`--${flag}=${count}`);
}
