/**
 * OpenAPI documents of what is served: one of version 2 for everything, one of version 3 for each group and version. Owns no
 * HTTP and no caching beyond one state of the API. Corresponds to upstream's kube-openapi builders.
 */

export { inTurns } from '../../base/steps.ts';
export type { Describe, OpenAPINode } from './render.ts';
export { type OpenAPIOptions, openAPIv2, openAPIv2Steps } from './v2.ts';
export { openAPIv2Protobuf, openAPIv2ProtobufSteps } from './v2-protobuf.ts';
export { OpenAPIv3, openAPIv3, openAPIv3Path } from './v3.ts';
export { openAPIv3ProtobufSteps } from './v3-protobuf.ts';
