import { resources } from '../../api/generated/resources.ts';
import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const TYPE = resources.validatingadmissionpolicies;
const NAME = 'validatingadmissionpolicy-status-controller';

/** Checks the expressions of a policy against the types that it is about. */
export type CheckPolicyTypes = (policy: DeepReadonly<ValidatingAdmissionPolicy>) => Promise<ExpressionWarning[]>;

export interface PolicyStatusDeps {
  readonly client: Client;
  readonly policies: Lister<ValidatingAdmissionPolicy>;
  readonly checkTypes: CheckPolicyTypes;
}

/** Writes what type checking has found into the status of ValidatingAdmissionPolicies. */
export function newPolicyStatusController(
  deps: ControllerCommonDeps & { readonly checkPolicyTypes: CheckPolicyTypes },
): Component {
  const policies = deps.informers.for(TYPE);
  return new Controller(
    {
      name: NAME,
      sources: [fromInformer(policies, { map: ({ metadata }) => [{ namespace: '', name: metadata.name }] })],
      reconciler: new PolicyStatusReconciler({
        client: deps.client,
        policies: policies.lister,
        checkTypes: deps.checkPolicyTypes,
      }),
    },
    deps,
  );
}

export class PolicyStatusReconciler implements Reconciler {
  readonly #deps: PolicyStatusDeps;

  constructor(deps: PolicyStatusDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, policies, checkTypes } = this.#deps;
    const policy = policies.get(name);
    if (policy === undefined) return undefined;
    const generation = policy.metadata.generation ?? 0;
    if (generation <= (policy.status?.observedGeneration ?? 0)) return undefined;
    const expressionWarnings = await checkTypes(policy);
    const typeChecking = expressionWarnings.length === 0 ? {} : { expressionWarnings };
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: TYPE.kind,
      metadata: { name },
      status: { observedGeneration: generation, typeChecking },
    };
    const options = { subresource: 'status', fieldManager: NAME, force: true };
    await client.patch(TYPE, { name }, 'apply', body, options);
    return undefined;
  }
}
