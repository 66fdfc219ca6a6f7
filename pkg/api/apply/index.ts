/**
 * Server-side apply and the tracking of field ownership in metadata.managedFields. Works on JSON and the engine's Schema, the
 * same for built-in kinds and CRDs. Decoding, defaulting and validation of the result belong to the registry.
 * Corresponds to upstream's structured-merge-diff and to the field managers of apimachinery (managedfields).
 */
export { type ApplyRequest, apply, applySteps } from './apply.ts';
export { managedFieldsProblem } from './managed-fields.ts';
export { managerName } from './manager-name.ts';
export { MergeError, mergeUnowned } from './merge-unowned.ts';
export { objectSchema } from './object-schema.ts';
export { resetFieldsOf } from './reset-fields.ts';
export { managedFieldsAfterScale, scaleManagedFields } from './scale.ts';
export { fieldsText } from './shared-text.ts';
export { trackUpdate, trackUpdateSteps, type WriteRequest } from './track-update.ts';
export type { VersionView, VersionViews } from './versions.ts';
