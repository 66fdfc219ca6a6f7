/** Which checks make a level of the Pod Security Standards, by the version of the policy. */
import type { Container, Pod } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { type Check, type CheckContext, podSecurityChecks as checks, type Violation } from './pod-security-checks.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

interface LevelCheck {
  readonly check: Check;
  /** The minor version from which on it is one of the level's. */
  readonly since?: number;
  /** The baseline check that it takes the place of. */
  readonly replaces?: Check;
}

/** In upstream's order: by name. */
const BASELINE: readonly LevelCheck[] = [
  { check: checks.appArmor },
  { check: checks.baselineCapabilities },
  { check: checks.hostNamespaces },
  { check: checks.hostPathVolumes },
  { check: checks.hostPorts },
  { check: checks.hostProbes, since: 34 },
  { check: checks.privileged },
  { check: checks.procMountUnlessRelaxed },
  { check: checks.seLinux },
  { check: checks.baselineSeccomp },
  { check: checks.sysctls },
  { check: checks.windowsHostProcess },
];

const RESTRICTED: readonly LevelCheck[] = [
  { check: checks.allowPrivilegeEscalation, since: 8 },
  { check: checks.restrictedCapabilities, since: 22, replaces: checks.baselineCapabilities },
  { check: checks.procMount, since: 35, replaces: checks.procMountUnlessRelaxed },
  { check: checks.restrictedVolumes, replaces: checks.hostPathVolumes },
  { check: checks.runAsNonRoot },
  { check: checks.runAsUser, since: 23 },
  { check: checks.restrictedSeccomp, since: 19, replaces: checks.baselineSeccomp },
];

/** All violations of a level, the baseline's first. `minor`: the version of the policy, Infinity for `latest`. */
export function violations(
  level: Level,
  pod: Pick<DeepReadonly<Pod>, 'spec'> & { metadata?: DeepReadonly<Pod['metadata']> },
  minor: number,
): Violation[] {
  if (level === 'privileged') return [];
  const { spec } = pod;
  const ephemeral = (spec.ephemeralContainers ?? []) as unknown as readonly DeepReadonly<Container>[];
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...ephemeral];
  const context: CheckContext = { metadata: pod.metadata, spec, containers, minor };
  return checksOf(level, minor)
    .map((check) => check(context))
    .filter((violation) => violation !== undefined);
}

function checksOf(level: Level, minor: number): Check[] {
  const counts = ({ since = 0 }: LevelCheck): boolean => minor >= since;
  const restricted = level === 'restricted' ? RESTRICTED.filter(counts) : [];
  const replaced = new Set(restricted.map(({ replaces }) => replaces));
  const baseline = BASELINE.filter((row) => counts(row) && !replaced.has(row.check));
  return [...baseline, ...restricted].map(({ check }) => check);
}
