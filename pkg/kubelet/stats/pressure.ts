import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** How long tasks waited for a resource: altogether, and in percent of the last 10, 60 and 300 seconds. */
export interface PressureTimes {
  readonly totalMicros: number;
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
}

/** `some`: at least one task waited; `full`: all did. */
export interface Pressure {
  readonly some: PressureTimes;
  readonly full: PressureTimes;
}

const RESOURCES = ['cpu', 'memory', 'io'] as const;
export type Pressures = Readonly<Record<(typeof RESOURCES)[number], Pressure>>;

/** The kernel's pressure stall information; `fileOf`: where that about a resource is. Undefined: this kernel has none. */
export async function readPressures(
  fileOf: (resource: (typeof RESOURCES)[number]) => string,
): Promise<Pressures | undefined> {
  const found: Partial<Record<(typeof RESOURCES)[number], Pressure>> = {};
  for (const resource of RESOURCES) {
    // Some kernels have the files and refuse to read them.
    const text = await readFile(fileOf(resource), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    found[resource] = parsePressure(text);
  }
  return found as Pressures;
}

/** The same of a cgroup; version 1 has none. */
export async function cgroupPressures(version: 1 | 2, path: string, mount = MOUNT): Promise<Pressures | undefined> {
  return version === 1 ? undefined : readPressures((resource) => join(mount, path, `${resource}.pressure`));
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and such a line that begins with `full`. Pure. */
export function parsePressure(text: string): Pressure {
  const times = (kind: string): PressureTimes => {
    const line = text.split('\n').find((one) => one.startsWith(`${kind} `)) ?? '';
    const value = (name: string): number => Number(new RegExp(`\\b${name}=([\\d.]+)`).exec(line)?.[1] ?? 0);
    return { totalMicros: value('total'), avg10: value('avg10'), avg60: value('avg60'), avg300: value('avg300') };
  };
  return { some: times('some'), full: times('full') };
}
