import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Container, Job, PodTemplateSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { immutable, immutableText } from '../validation/values.ts';

type FieldError = field.FieldError;
type Object = DeepReadonly<Job>;
type Template = DeepReadonly<PodTemplateSpec>;

/** What an update of a job's spec may not change. */
export function validateJobUpdate(job: Object, old: Object): FieldError[] {
  const { spec } = job;
  const before = old.spec;
  const errors: FieldError[] = [];
  errors.push(...validateCompletions(job, old), ...immutable(spec.selector, before.selector, 'spec.selector'));
  errors.push(...validateTemplateUpdate(job, old));
  for (const name of [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const) {
    errors.push(...immutable(spec[name], before[name], `spec.${name}`));
  }
  return errors;
}

/** The completions of an Indexed job follow its parallelism; those of others are fixed. */
function validateCompletions(job: Object, old: Object): FieldError[] {
  const { completions, parallelism, completionMode } = job.spec;
  const path = 'spec.completions';
  if (completionMode !== 'Indexed') return immutable(completions, old.spec.completions, path);
  if (typeof completions !== 'number' || completions === old.spec.completions) return [];
  if (completions === parallelism) return [];
  return [field.invalid(path, completions, 'can only be modified in tandem with spec.parallelism')];
}

/** Where pods may run, what they get and what is said about them can change while the job is suspended and has none. */
function validateTemplateUpdate(job: Object, old: Object): FieldError[] {
  const now = job.spec.template;
  if (!isIdle(old)) return immutable(now, old.spec.template, 'spec.template');
  const before = withMutableParts(old.spec.template, now);
  return equalJSON(now.spec, before.spec) ? [] : [field.invalid('spec.template.spec', now.spec, immutableText)];
}

function isIdle({ spec, status }: Object): boolean {
  if (spec.suspend !== true || (status?.active ?? 0) !== 0) return false;
  if (!status?.startTime) return true;
  return status.conditions?.some(({ type, status: value }) => type === 'Suspended' && value === 'True') === true;
}

/** The old template with everything that an idle job may change taken from the new one. */
function withMutableParts(old: Template, now: Template): Template {
  const spec: Record<string, unknown> = { ...old.spec };
  const next: Record<string, unknown> = { ...now.spec };
  for (const name of ['nodeSelector', 'tolerations', 'schedulingGates']) take(spec, name, next[name]);
  const nodeAffinity = now.spec?.affinity?.nodeAffinity;
  const affinity: Record<string, unknown> = { ...old.spec?.affinity };
  take(affinity, 'nodeAffinity', nodeAffinity);
  const cleared = Object.keys(affinity).length === 0 && !now.spec?.affinity;
  take(spec, 'affinity', cleared || (!old.spec?.affinity && !now.spec?.affinity) ? undefined : affinity);
  for (const list of ['containers', 'initContainers'] as const) {
    if (old.spec?.[list]) spec[list] = withResources(old.spec[list], now.spec?.[list]);
  }
  return { ...old, spec } as Template;
}

function withResources(
  old: readonly DeepReadonly<Container>[],
  now: readonly DeepReadonly<Container>[] | undefined,
): unknown[] {
  return old.map((container, i) => {
    const copy: Record<string, unknown> = { ...container };
    if (now?.[i]?.name === container.name) take(copy, 'resources', now[i]?.resources);
    return copy;
  });
}

function take(target: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined || value === null) delete target[name];
  else target[name] = value;
}
