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

export function eventFromCore(object: DeepReadonly<KubeObject>): KubeObject {
  return { ...renameMembers(object, NAMES), apiVersion: 'events.k8s.io/v1' } as KubeObject;
}

export function eventToCore(object: DeepReadonly<KubeObject>): KubeObject {
  return { ...renameMembers(object, reversed(NAMES)), apiVersion: 'v1' } as KubeObject;
}
