/** How v1.36 says and shows what v1.28, which the recordings are from, said and showed in another way. */
import type { JSONObject } from './scenario.ts';

const texts: readonly (readonly [RegExp, string])[] = [
  [/^taint-controller on /, 'taint-eviction-controller on '],
  [/\bCreated container \S+/, 'Container created'],
  [/\bStarted container \S+/, 'Container started'],
  [/(already present on machine)(?! and)/, '$1 and can be accessed by the pod'],
  [/^(Saw completed job: \S+), status: /, '$1, condition: '],
  [/had untolerated taint \{[^}]*\}/g, 'had untolerated taint(s)'],
  [/1 (node\(s\) had untolerated taint\(s\)), 1 \1/, '2 $1'],
  [/had volume node affinity conflict/, "didn't match PersistentVolume's node affinity"],
  // v1.28 ended what preemption says with two dots.
  [/( preemption: .*\.)\.$/, '$1'],
  // Every pod that fits nowhere is told that it has no claims to give back since v1.34, and nothing about preemption if it
  // was refused before any node was looked at.
  [/\. (?:no new claims to deallocate, )(?=preemption: )/, '. '],
  [/^(0\/\d+ nodes are available: (?!\d).*)\. preemption: .*/, '$1. not found'],
  [/^Preempted by (?:a )?pod(?: <uid>)? on node/, 'Preempted by pod on node'],
  [/^create ((?:Pod|Claim) .*in StatefulSet)/, 'Create $1'],
  [/^delete (Pod .*in StatefulSet)/, 'Delete $1'],
  [/^update (Pod .*in StatefulSet)/, 'Update $1'],
  // Only what comes before depends on nothing but the kubelet and the runtime.
  [/(failed to do request: ).*/, '$1<network>'],
  // The name of a pod that was refused is nowhere else.
  [/\bpods "([a-z0-9.<>-]+)-[a-z0-9]{5}" is forbidden/, 'pods "$1-<suffix>" is forbidden'],
];

/** Events by which counts of replicas change say from which count since v1.29. */
const SCALED = /(Scaled (?:up|down) replica set \S+) (?:from \d+ )?to (\d+)(?: from \d+)?$/;

/** Fields that v1.36 adds beside those that the API recordings show. */
const NEWER = new Set([
  'endpoints.kubernetes.io/managed-by',
  'volumeMounts',
  'batch.kubernetes.io/cronjob-scheduled-timestamp',
  'terminating',
  // Of requests for certificates: how their author proved who it is.
  'extra',
]);

/** Conditions that v1.28 did not have. */
const NEWER_CONDITIONS: ReadonlySet<unknown> = new Set([
  'PodReadyToStartContainers',
  'SuccessCriteriaMet',
  'FailureTarget',
]);

export function isNewerKey(key: string): boolean {
  return NEWER.has(key);
}

export function newerText(text: string): string {
  return texts
    .reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text)
    .replace(SCALED, '$1 to $2');
}

/** A value without what v1.36 adds to every object, and without what it leaves out. */
export function withoutNewerParts(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !NEWER_CONDITIONS.has((item as JSONObject | null)?.['type'])).map(withoutNewerParts);
  }
  if (typeof value !== 'object' || value === null) return value;
  const { type, status, reason } = value as JSONObject;
  const isCondition = typeof type === 'string' && typeof status === 'string';
  return Object.fromEntries(
    Object.entries(value as JSONObject)
      .filter(([key, member]) => member !== null || key === 'lastProbeTime')
      .filter(([key]) => !(isCondition && key === 'observedGeneration'))
      // Jobs say why they are complete since v1.31.
      .filter(([key]) => !(isCondition && reason === 'CompletionsReached' && (key === 'reason' || key === 'message')))
      .map(([key, member]) => [key, withoutNewerParts(member)]),
  );
}
