import type { DeepReadonly, KubeObject } from '../object.ts';
import { renameMembers, reversed } from './rename.ts';

/** core/v1 Event -> events.k8s.io/v1 Event. */
const NAMES = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
] as const;

/** Fields that core/v1 always writes and events.k8s.io/v1 only when they say something. */
const ALWAYS_IN_CORE = ['reportingComponent', 'reportingInstance'];

export function eventFromCore(object: DeepReadonly<KubeObject>): KubeObject {
  const said = Object.entries(object).filter(([name, value]) => value !== '' || !ALWAYS_IN_CORE.includes(name));
  return { ...renameMembers(Object.fromEntries(said), NAMES), apiVersion: 'events.k8s.io/v1' } as KubeObject;
}

export function eventToCore(object: DeepReadonly<KubeObject>): KubeObject {
  const core = { ...renameMembers(object, reversed(NAMES)), apiVersion: 'v1' } as KubeObject;
  for (const name of ALWAYS_IN_CORE) core[name] ??= '';
  return core;
}
