/** Ids of logical CPUs. */
export type CPUSet = ReadonlySet<number>;

export const NO_CPUS: CPUSet = new Set();

/** The most CPUs that a kernel can be built for, with room to spare: what is longer is a slip of the pen. */
const MAX_CPU_ID = 65_535;

/** A list as the kernel writes it: `0-3,7`, empty for none. Throws an Error with one line for any other text. */
export function parseCPUSet(text: string): CPUSet {
  const cpus = new Set<number>();
  if (text.trim() === '') return cpus;
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first || last > MAX_CPU_ID)
      throw new Error(`"${text}" is not a list of CPUs like 0-3,7`);
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}

/** `0-3,7`. */
export function formatCPUSet(cpus: CPUSet): string {
  const parts: string[] = [];
  let first: number | undefined;
  let last = -1;
  const close = (): void => {
    if (first !== undefined) parts.push(first === last ? String(first) : `${first}-${last}`);
  };
  for (const cpu of ascending(cpus)) {
    if (first === undefined || cpu !== last + 1) {
      close();
      first = cpu;
    }
    last = cpu;
  }
  close();
  return parts.join(',');
}

export function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

export function sameCPUs(a: CPUSet, b: CPUSet): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
