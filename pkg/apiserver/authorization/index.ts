/**
 * What a user may do: RBAC, the Node authorizer, the bootstrap policy, the check that nobody grants what they do not have,
 * and the access reviews. It does not decide who the user is (../authentication). Corresponds to upstream's
 * plugin/pkg/auth/authorizer and pkg/registry/{authorization,rbac}.
 */
export { AuthorizerChain } from './authorizer-chain.ts';
export { ensureBootstrapRBAC } from './bootstrap/ensure.ts';
export { rbacEscalationCheck } from './escalation.ts';
export { alwaysAllow, alwaysDeny, privilegedGroups } from './fixed.ts';
export { accessForbidden } from './forbidden.ts';
export { NODES_GROUP, NodeAuthorizer, nodeNameOf } from './node.ts';
export { NodeReferences } from './node-references.ts';
export { RBACAuthorizer } from './rbac.ts';
export { type ReviewDeps, type ReviewHandler, reviewHandlers } from './reviews.ts';
