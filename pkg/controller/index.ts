/**
 * The controller framework: sources feed requests into a queue, workers hand them to a reconciler. It knows no kind and
 * keeps no state of the cluster. Corresponds to upstream's controller-runtime and client-go's util/workqueue.
 */
export * from './controller.ts';
export { type ControllerMetrics, createControllerMetrics } from './controller-metrics.ts';
export { Expectations } from './expectations.ts';
export { OwnWrites } from './own-writes.ts';
export { Controller, type ControllerDeps, type ControllerOptions } from './run-controller.ts';
export { afterSync, controllerOf, fromInformer, requestOf } from './sources.ts';
export { RequestQueue } from './work-queue.ts';
