import { aggregatedRules } from '../../api/aggregated-rules.ts';
import { resources } from '../../api/generated/resources.ts';
import type { ClusterRole } from '../../api/generated/types.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const TYPE = resources.clusterroles;
const FIELD_MANAGER = 'clusterrole-aggregation-controller';

export interface ClusterRoleAggregationDeps {
  readonly client: Client;
  readonly roles: Informer<ClusterRole>;
}

/** Fills ClusterRoles that have an aggregationRule with the rules of the roles that it selects. */
export function newClusterRoleAggregationController(deps: ControllerCommonDeps): Component {
  const roles = deps.informers.for(TYPE);
  return new Controller(
    {
      name: 'clusterrole-aggregation-controller',
      sources: [
        fromInformer(roles, {
          map: () =>
            [...roles.lister.list()]
              .filter((role) => role.aggregationRule !== undefined)
              .map(({ metadata: { name } }) => ({ namespace: '', name })),
        }),
      ],
      reconciler: new ClusterRoleAggregationReconciler({ ...deps, roles }),
    },
    deps,
  );
}

export class ClusterRoleAggregationReconciler implements Reconciler {
  readonly #deps: ClusterRoleAggregationDeps;

  constructor(deps: ClusterRoleAggregationDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, roles } = this.#deps;
    const role = roles.lister.get(name);
    if (role?.aggregationRule === undefined || role.metadata.deletionTimestamp !== undefined) return undefined;
    const rules = aggregatedRules(role, [...roles.lister.list()]);
    if (equalJSON(rules, role.rules ?? [])) return undefined;
    const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: TYPE.kind, metadata: { name }, rules };
    await client.patch(TYPE, { name }, 'apply', body, { fieldManager: FIELD_MANAGER, force: true });
    return undefined;
  }
}
