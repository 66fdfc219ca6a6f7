import { readFile } from 'node:fs/promises';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

/** Processor time that the machine has spent working since it started, in seconds; undefined where that is not known. */
export async function nodeCPUSeconds(path = '/proc/stat'): Promise<number | undefined> {
  try {
    return workingSeconds(await readFile(path, 'utf8'));
  } catch {
    // Not Linux, or hidden from us: the node has no such metric then.
    return undefined;
  }
}

/** From the line `cpu user nice system idle iowait irq softirq steal ...`: all but idle and iowait. */
export function workingSeconds(stat: string): number | undefined {
  const fields = /^cpu +([\d ]+)$/m.exec(stat)?.[1]?.trim().split(/ +/).map(Number);
  if (fields === undefined || fields.length < 3) return undefined;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}
