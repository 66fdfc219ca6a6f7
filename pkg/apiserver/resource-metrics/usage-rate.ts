import { formatQuantity } from '../../api/quantity.ts';
import type { Usage } from './scrape.ts';

export interface Rate {
  /** `cpu` in nanocores, `memory` in bytes, as quantities. */
  readonly usage: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly windowMs: number;
}

/** What is used per second between two looks; undefined without two looks at the same run of the same thing. */
export function rateOf(before: Usage | undefined, now: Usage | undefined): Rate | undefined {
  if (before === undefined || now === undefined) return undefined;
  const windowMs = now.atMs - before.atMs;
  const seconds = now.cpuSeconds - before.cpuSeconds;
  // Counters that have gone back are those of a container that was restarted.
  if (windowMs <= 0 || seconds < 0) return undefined;
  const nanocores = BigInt(Math.round((seconds / windowMs) * 1e12));
  const cpu = nanocores === 0n ? '0' : `${nanocores}n`;
  const bytes = BigInt(Math.trunc(now.memoryBytes));
  const memory = formatQuantity({ nano: bytes * 1_000_000_000n, format: 'BinarySI' });
  return { usage: { cpu, memory }, atMs: now.atMs, windowMs };
}

/** A time.Duration of whole milliseconds as Go writes it: `15.2s`, `1m0.5s`. */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms - minutes * 60_000) / 1000;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}
