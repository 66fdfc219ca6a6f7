/**
 * CustomResourceDefinitions at work: their status conditions, the resources that they define, and what happens to instances
 * when a definition goes. Owns no schema engine (pkg/api/schema) and no validation of the definitions themselves
 * (pkg/api/kinds). Corresponds to upstream's apiextensions-apiserver.
 */
export { ConversionMetrics } from './conversion-metrics.ts';
export { CustomResources, type CustomResourcesDeps } from './custom-resources.ts';
export { definitionHooks } from './definition-hooks.ts';
