/** A record of the kernel's log. */
export interface KernelRecord {
  /** Counts from the boot of the machine on. */
  readonly sequence: number;
  readonly message: string;
}

/**
 * One line as `/dev/kmsg` gives it, `PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;MESSAGE`; undefined: a line that says more about the record
 * before, or none at all. Pure.
 */
export function parseKernelRecord(line: string): KernelRecord | undefined {
  const match = /^\d+,(\d+),\d+[^;]*;(.*)$/.exec(line);
  return match === null ? undefined : { sequence: Number(match[1]), message: match[2] ?? '' };
}
