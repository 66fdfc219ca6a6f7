import { resources } from '../../api/generated/resources.ts';
import { keyOf } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import type { ReadPod } from '../pod-status.ts';
import { claimNames, ownerUIDs } from './claim-plan.ts';
import { ClaimReleaseReconciler } from './claim-release-reconciler.ts';
import { PodClaimsReconciler } from './pod-claims-reconciler.ts';

/** One makes the claims that pods want by template; one takes pods that have ended out of claims. Upstream: resourceclaim. */
export function newResourceClaimControllers(deps: ControllerCommonDeps): Component[] {
  const pods = deps.informers.for(resources.pods, { indexers: { resourceClaim: claimKeys } });
  const claims = deps.informers.for(resources.resourceclaims, { indexers: { owner: ownerUIDs } });
  const templates = deps.informers.for(resources.resourceclaimtemplates);
  const wants = (pod: ReadPod): boolean => (pod.spec.resourceClaims ?? []).length > 0;
  const requestOf = ({ metadata: { namespace, name } }: ReadPod): Request => ({ namespace, name });
  const listers = { pods: pods.lister, claims: claims.lister, templates: templates.lister };
  return [
    new Controller(
      {
        name: 'resource-claim-controller',
        sources: [
          fromInformer(pods, {
            map: (pod) => (wants(pod) ? [requestOf(pod)] : []),
          }),
          fromInformer(claims, { map: (claim) => pods.lister.byIndex('resourceClaim', keyOf(claim)).map(requestOf) }),
          fromInformer(templates, {
            map: ({ metadata }) => [...pods.lister.list(metadata.namespace)].filter(wants).map(requestOf),
            updated: () => false,
          }),
        ],
        reconciler: new PodClaimsReconciler({ ...deps, ...listers, recorder: recorderFor('resource_claim', deps) }),
      },
      deps,
    ),
    new Controller(
      {
        name: 'resource-claim-release-controller',
        sources: [
          fromInformer(claims),
          fromInformer(pods, {
            map: (pod) => claimNames(pod).map((name) => ({ namespace: pod.metadata.namespace, name })),
          }),
        ],
        reconciler: new ClaimReleaseReconciler({ ...deps, ...listers }),
      },
      deps,
    ),
  ];
}

function claimKeys(pod: ReadPod): readonly string[] {
  return claimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`);
}
