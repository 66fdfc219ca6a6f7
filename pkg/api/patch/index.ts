/**
 * The three patch formats that modify a document: JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386) and Kubernetes'
 * strategic merge patch. All are pure: they return a new document and never change their arguments. Decoding,
 * defaulting and validating the result belong to the API server; server-side apply is pkg/api/apply.
 * Corresponds to upstream's apimachinery strategicpatch and to the patcher of the API server's endpoint handlers.
 */
export { PatchTestFailed } from './errors.ts';
export { applyJSONPatch, unknownOperationFields } from './json-patch.ts';
export { applyMergePatch } from './merge-patch.ts';
export { applyStrategicMergePatch } from './strategic-merge-patch.ts';
