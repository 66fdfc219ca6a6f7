/**
 * Priority and fairness: the FlowSchemas and PriorityLevelConfigurations that every cluster has, what they mean, the queues and
 * seats, and the dumps. It does not know what a request does, only who sent it, what it is about and how much it is likely to
 * cost. Corresponds to upstream's apiserver/pkg/util/flowcontrol.
 */
export { flowDebugHandler } from './debug-handler.ts';
export { type Admission, Fairness, type FairnessOptions, TooBusy } from './fairness.ts';
export { FlowObjects } from './flow-objects.ts';
