import type { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { checksum, type GoValue } from '../checkpoints/checksum.ts';
import { type CPUSet, formatCPUSet, NO_CPUS, parseCPUSet } from './cpu-set.ts';

export type CPUPolicy = 'none' | 'static';

/** By pod's uid and container's name: the CPUs that are its alone. */
export type CPUAssignments = ReadonlyMap<string, ReadonlyMap<string, CPUSet>>;

export interface CPUState {
  /** The CPUs of all other containers; empty: nothing was decided yet. */
  readonly shared: CPUSet;
  readonly assignments: CPUAssignments;
}

/** What is in the file, in upstream's form. */
interface Kept {
  readonly policyName: string;
  readonly defaultCpuSet: string;
  readonly entries?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly checksum: number;
}

/** What another policy decided, or a file that was tampered with, is not taken over. Throws an Error that says what to do. */
export async function restoreCPUState(file: CheckpointFile, policy: CPUPolicy): Promise<CPUState> {
  const text = await file.read();
  const state: CPUState = { shared: NO_CPUS, assignments: new Map() };
  if (text === undefined) {
    await file.write(() => cpuStateText(policy, state));
    return state;
  }
  try {
    return parseState(text, policy);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const advice = `please drain this node and delete the CPU manager checkpoint file "${file.path}" before restarting Kubelet`;
    throw new Error(`could not restore state from checkpoint: ${what}, ${advice}`, { cause: error });
  }
}

export function cpuStateText(policyName: CPUPolicy, { shared, assignments }: CPUState): string {
  const defaultCpuSet = formatCPUSet(shared);
  const entries = Object.fromEntries(
    byKey(assignments).map(([uid, containers]) => [
      uid,
      Object.fromEntries(byKey(containers).map(([name, cpus]) => [name, formatCPUSet(cpus)])),
    ]),
  );
  const kept = { policyName, defaultCpuSet, ...(assignments.size === 0 ? {} : { entries }) };
  return JSON.stringify({ ...kept, checksum: stateChecksum(kept) });
}

function byKey<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function parseState(text: string, policy: CPUPolicy): CPUState {
  const kept = JSON.parse(text) as Kept;
  if (stateChecksum(kept) !== kept.checksum) throw new Error('checkpoint is corrupted');
  if (kept.policyName !== policy) {
    throw new Error(`configured policy "${policy}" differs from state checkpoint policy "${kept.policyName}"`);
  }
  const assignments = Object.entries(kept.entries ?? {}).map(([uid, containers]): [string, Map<string, CPUSet>] => [
    uid,
    new Map(Object.entries(containers).map(([name, cpus]) => [name, parseCPUSet(cpus)])),
  ]);
  return { shared: parseCPUSet(kept.defaultCpuSet), assignments: new Map(assignments) };
}

function stateChecksum({ policyName, defaultCpuSet, entries = {} }: Omit<Kept, 'checksum'>): number {
  const string = (scalar: string): GoValue => ({ type: 'string', scalar });
  const map = Object.entries(entries).map(([uid, containers]): [string, GoValue] => [
    uid,
    { type: 'map[string]string', map: Object.entries(containers).map(([name, cpus]) => [name, string(cpus)]) },
  ]);
  return checksum({
    type: 'state.CPUManagerCheckpoint',
    struct: [
      ['PolicyName', string(policyName)],
      ['DefaultCPUSet', string(defaultCpuSet)],
      ['Entries', { type: 'map[string]map[string]string', map }],
      ['Checksum', { type: 'checksum.Checksum', scalar: 0 }],
    ],
  });
}
