import type { PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { ReadPod } from '../pod-status.ts';
import type { ReadJob } from './job-pods.ts';

/** What a failed pod means to its job. */
export interface FailureVerdict {
  /** False: the failure counts towards no limit. */
  readonly isCounted: boolean;
  readonly failsIndex: boolean;
  /** Set when the whole job has failed. */
  readonly failJobMessage?: string;
}

const COUNTED: FailureVerdict = { isCounted: true, failsIndex: false };

/** The first matching rule decides. Upstream: matchPodFailurePolicy. */
export function failureVerdict(job: ReadJob, pod: ReadPod): FailureVerdict {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = matchOf(rule, pod);
    if (why === undefined) continue;
    if (rule.action === 'Ignore') return { isCounted: false, failsIndex: false };
    if (rule.action === 'FailIndex') return { isCounted: true, failsIndex: true };
    if (rule.action === 'Count') return COUNTED;
    if (rule.action !== 'FailJob') continue;
    return { ...COUNTED, failJobMessage: `${why} matching FailJob rule at index ${index}` };
  }
  return COUNTED;
}

function matchOf(rule: DeepReadonly<PodFailurePolicyRule>, pod: ReadPod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (rule.onExitCodes) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    for (const status of [...containerStatuses, ...initContainerStatuses]) {
      const code = status.state?.terminated?.exitCode;
      if (code === undefined || code === 0 || !matchesExitCode(rule.onExitCodes, status.name, code)) continue;
      return `Container ${status.name} for pod ${name} failed with exit code ${code}`;
    }
    return undefined;
  }
  for (const { type, status } of pod.status?.conditions ?? []) {
    const isWanted = rule.onPodConditions?.some((pattern) => pattern.type === type && pattern.status === status);
    if (isWanted === true) return `Pod ${name} has condition ${type}`;
  }
  return undefined;
}

function matchesExitCode(
  rule: DeepReadonly<PodFailurePolicyOnExitCodesRequirement>,
  container: string,
  code: number,
): boolean {
  if (rule.containerName !== undefined && rule.containerName !== container) return false;
  return rule.values.includes(code) === (rule.operator === 'In');
}
