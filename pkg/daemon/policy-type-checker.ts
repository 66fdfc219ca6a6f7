import type { AdmissionExpressions } from '../api/admission/index.ts';
import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../api/generated/types.ts';
import { apiVersionOf } from '../api/object.ts';
import type { Definitions } from '../apiserver/index.ts';
import type { DeepReadonly } from '../base/json.ts';

/** Type checking of ValidatingAdmissionPolicies over what is served; its engine is loaded for the first one. */
export function policyTypeChecker(
  definitions: Definitions,
): (policy: DeepReadonly<ValidatingAdmissionPolicy>) => Promise<ExpressionWarning[]> {
  const kinds = {
    get: (group: string, version: string, resource: string) => definitions.get(group, version, resource),
    ofKind: (apiVersion: string, kind: string) =>
      [...definitions.all()].find(({ type }) => type.kind === kind && apiVersionOf(type) === apiVersion),
  };
  let expressions: Promise<AdmissionExpressions> | undefined;
  return async (policy) => {
    const admission = await import('../api/admission/index.ts');
    expressions ??= admission.AdmissionExpressions.load();
    return admission.typeCheckPolicy(policy, kinds, await expressions);
  };
}
