/**
 * Kubernetes' expression language (CEL): environments, compiled programs, cost estimates and the types of schemas.
 *
 * Owns the language and Kubernetes' function libraries. What variables an expression has, which limits hold and what its
 * result means belong to the callers. Corresponds to cel-go and k8s.io/apiserver/pkg/cel.
 */
export type { Checked } from './checker.ts';
export type { CostEstimate } from './cost-range.ts';
export { DECL_DYN, DECL_STRING, type DeclField, type DeclType, declTypeFromSchema, objectOf } from './decl-type.ts';
export { type Library, overload } from './declarations.ts';
export {
  type Compiled,
  type CompileIssues,
  Environment,
  type EnvironmentOptions,
  type StructDecl,
  type VariableDecl,
} from './environment.ts';
export { escapeName, unescapeName } from './escape.ts';
export { CELError, type CELErrorCode, Failure } from './failure.ts';
export { toJSON, toValue } from './json-values.ts';
export {
  AUTHORIZER_TYPE,
  type AuthorizationCheck,
  type AuthorizationDecision,
  type AuthorizationHost,
  AuthorizerValue,
  RESOURCE_CHECK_TYPE,
} from './library/authorizer.ts';
export { bindingsLibrary } from './library/bindings.ts';
export { HOST_TYPES } from './library/host-values.ts';
export { jsonPatchLibrary } from './library/json-patch.ts';
export { kubernetesLibraries } from './library/kubernetes.ts';
export { quantityValue } from './library/quantity.ts';
export { semverValue } from './library/semver.ts';
export {
  CRD_ESTIMATE_LIMIT,
  MATCH_CONDITIONS_BUDGET,
  PER_CALL_LIMIT,
  RULE_ESTIMATE_LIMIT,
  RUNTIME_BUDGET,
} from './limits.ts';
export type { Activation, EvaluateOptions, Evaluation, Program } from './program.ts';
export { loadRegexEngine, type RegexEngine } from './regex.ts';
export type { Issue } from './source.ts';
export * as celTypes from './types.ts';
export { HashMapValue, HostValue, ListValue, type MapKey, MapValue, StructValue, type Value } from './values.ts';
