import type { DeepReadonly } from '../../base/json.ts';
import type { PodTemplateSpec } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { isDNS1123Label } from '../validation/names.ts';
import { templateWarnings } from './pod-warnings.ts';

/**
 * Warnings of a workload whose name becomes part of the names of pods. An update warns again only when it changes more than
 * metadata and status.
 */
export function workloadWarnings(
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject> | undefined,
  template: DeepReadonly<PodTemplateSpec> | undefined,
  path: string,
): string[] {
  if (old === undefined) return [...podNameWarnings(object.metadata.name), ...templateWarnings(template, path)];
  return changedTemplateWarnings(object, old, template, path);
}

/** Warnings of a workload about its template alone. */
export function changedTemplateWarnings(
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject> | undefined,
  template: DeepReadonly<PodTemplateSpec> | undefined,
  path: string,
): string[] {
  if (old !== undefined && old.metadata.generation === object.metadata.generation) return [];
  return templateWarnings(template, path);
}

function podNameWarnings(name: string): string[] {
  const wrong = isDNS1123Label(name);
  if (wrong.length === 0) return [];
  const text =
    'this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended';
  return [`metadata.name: ${text}: [${wrong.join(' ')}]`];
}
