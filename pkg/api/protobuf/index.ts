/**
 * The encoding `application/vnd.kubernetes.protobuf` of built-in kinds: messages from and to the JSON form of an object, by the
 * field numbers in pkg/api/facts, and the envelope and the watch frames around them. What a decoded message means (defaults,
 * zero values, validation) is the JSON decoder's to say; custom resources have no protobuf. Corresponds to upstream's
 * generated.pb.go files and to runtime/serializer/protobuf.
 */
export { decodeMessage } from './decode.ts';
export { encodeMessage } from './encode.ts';
export {
  type Envelope,
  envelopeHead,
  fieldHead,
  fieldHeadBytes,
  openEnvelope,
  PROTOBUF_TYPE,
  sealEnvelope,
  watchFrame,
} from './envelope.ts';
export { partialObjectMetadata, schemaOfKind } from './schemas.ts';
