/**
 * The controllers that upstream's kube-controller-manager runs: each reconciles one kind of object through the API. A
 * controller lives in its own folder and knows no other; the files beside this one hold what several share.
 */
import type { Component } from '../base/lifecycle.ts';
import type { Client } from '../client/client.ts';
import { newBootstrapSigner } from './bootstrap-token/bootstrap-signer.ts';
import { newTokenCleaner } from './bootstrap-token/token-cleaner.ts';
import { type CertificateSigner, newCertificateControllers } from './certificates/certificate-controllers.ts';
import { newClusterRoleAggregationController } from './clusterrole-aggregation/clusterrole-aggregation-controller.ts';
import { newCronJobController } from './cronjob/cronjob-controller.ts';
import { newDaemonSetController } from './daemonset/daemonset-controller.ts';
import { newDeploymentController } from './deployment/deployment-controller.ts';
import type { ControllerCommonDeps } from './deps.ts';
import { newDeviceTaintEvictionController } from './device-taint-eviction/device-taint-eviction-controller.ts';
import { newDisruptionController } from './disruption/disruption-controller.ts';
import { newEndpointsController } from './endpoints/endpoints-controller.ts';
import { newEndpointSliceController } from './endpointslice/endpointslice-controller.ts';
import { newEndpointSliceMirroringController } from './endpointslice-mirroring/endpointslice-mirroring-controller.ts';
import { newEphemeralVolumeController } from './ephemeral-volume/ephemeral-volume-controller.ts';
import { newGarbageCollector } from './garbage-collector/garbage-collector.ts';
import { newHorizontalPodAutoscalerController } from './horizontal-pod-autoscaler/horizontal-pod-autoscaler-controller.ts';
import { newAbandonedPodController } from './job/abandoned-pods.ts';
import { newJobController } from './job/job-controller.ts';
import { newLocalStorageController, type RemoveLocalVolume } from './local-storage/local-storage-controller.ts';
import { newNamespaceController } from './namespace/namespace-controller.ts';
import { newNodeIPAMController } from './node-ipam/node-ipam-controller.ts';
import { newNodeLifecycleController } from './node-lifecycle/node-lifecycle-controller.ts';
import { newNodeTTLController } from './node-ttl/node-ttl-controller.ts';
import { newPersistentVolumeController } from './persistent-volume/persistent-volume-controller.ts';
import { newPodGCController } from './pod-gc/pod-gc-controller.ts';
import { newReplicaSetController } from './replicaset/replicaset-controller.ts';
import { newReplicationController } from './replicationcontroller/replicationcontroller-controller.ts';
import { newResourceClaimControllers } from './resource-claim/resource-claim-controllers.ts';
import { newResourceQuotaController } from './resource-quota/resource-quota-controller.ts';
import { newRootCAPublisher } from './root-ca/root-ca-publisher.ts';
import { newServiceCIDRController } from './service-cidrs/service-cidrs-controller.ts';
import {
  newServiceLoadBalancerController,
  type ServiceLoadBalancerOptions,
} from './service-load-balancer/service-load-balancer-controller.ts';
import { newServiceAccountController } from './serviceaccount/serviceaccount-controller.ts';
import { newStatefulSetController } from './statefulset/statefulset-controller.ts';
import { newStorageVersionMigratorController } from './storage-version-migrator/storage-version-migrator-controller.ts';
import { newTaintEvictionController } from './taint-eviction/taint-eviction-controller.ts';
import { newLegacyTokenCleaner } from './token-secret/legacy-token-cleaner.ts';
import { type LegacyTokens, newTokenSecretController } from './token-secret/token-secret-controller.ts';

import { newTTLAfterFinishedController } from './ttl-after-finished/ttl-after-finished-controller.ts';
import {
  type CheckPolicyTypes,
  newPolicyStatusController,
} from './validating-admission-policy-status/validating-admission-policy-status-controller.ts';
import { newVolumeExpandController } from './volume-expand/volume-expand-controller.ts';
import { newAttributesClassProtectionController } from './volume-protection/attributes-class-protection.ts';
import {
  newClaimProtectionController,
  newVolumeProtectionController,
} from './volume-protection/volume-protection-controller.ts';

export interface ControllersDeps extends ControllerCommonDeps {
  /** The certificates (PEM) that have signed the API server's. */
  readonly rootCA: string;
  /** The networks of all pods (`10.42.0.0/16`), at most one of each family. */
  readonly clusterCIDRs: readonly string[];
  /** Absent: Secrets of type service-account-token are not filled. */
  readonly legacyTokens?: LegacyTokens;
  /** Absent: CertificateSigningRequests wait for somebody else. */
  readonly certificateSigner?: CertificateSigner;
  /** Absent: ValidatingAdmissionPolicies have no status. */
  readonly checkPolicyTypes?: CheckPolicyTypes;
  readonly removeLocalVolume: RemoveLocalVolume;
  /** Deletes a directory of this machine with all that is in it; one that is missing is no error. */
  readonly removeDirectory: (path: string) => Promise<void>;
  /** Absent: Services of type LoadBalancer wait for somebody else's controller. */
  readonly loadBalancer?: ServiceLoadBalancerOptions & { readonly client: Client };
  /** Whether StorageVersionMigrations are served: a beta kind has to be asked for. */
  readonly migratesStorageVersions: boolean;
}

/** All controllers, in the order in which they start. */
export function controllers(deps: ControllersDeps): Component[] {
  return [
    newNodeIPAMController({ clusterCIDRs: deps.clusterCIDRs }, deps),
    newServiceAccountController(deps),
    newServiceCIDRController(deps),
    newRootCAPublisher(deps),
    newClusterRoleAggregationController(deps),
    ...(deps.legacyTokens === undefined
      ? []
      : [newTokenSecretController({ ...deps, legacyTokens: deps.legacyTokens })]),
    newLegacyTokenCleaner(deps),
    newReplicaSetController(deps),
    newReplicationController(deps),
    newDaemonSetController(deps),
    newStatefulSetController(deps),
    newJobController(deps),
    newAbandonedPodController(deps),
    newCronJobController(deps),
    newDisruptionController(deps),
    newResourceQuotaController(deps),
    ...newResourceClaimControllers(deps),
    newTokenCleaner(deps),
    newBootstrapSigner(deps),
    newNodeTTLController(deps),
    newEphemeralVolumeController(deps),
    newClaimProtectionController(deps),
    newVolumeProtectionController(deps),
    newAttributesClassProtectionController(deps),
    newPersistentVolumeController(deps),
    newVolumeExpandController(deps),
    newLocalStorageController(deps),
    newHorizontalPodAutoscalerController(deps),
    ...(deps.certificateSigner === undefined
      ? []
      : newCertificateControllers({ ...deps, signer: deps.certificateSigner })),
    ...(deps.checkPolicyTypes === undefined
      ? []
      : [newPolicyStatusController({ ...deps, checkPolicyTypes: deps.checkPolicyTypes })]),
    ...(deps.migratesStorageVersions ? [newStorageVersionMigratorController(deps)] : []),
    newTTLAfterFinishedController(deps),
    newDeploymentController(deps),
    newEndpointsController(deps),
    newEndpointSliceController(deps),
    newEndpointSliceMirroringController(deps),
    ...(deps.loadBalancer === undefined
      ? []
      : [newServiceLoadBalancerController(deps.loadBalancer, { ...deps, client: deps.loadBalancer.client })]),
    newNodeLifecycleController(deps),
    newTaintEvictionController(deps),
    newDeviceTaintEvictionController(deps),
    newPodGCController(deps),
    newNamespaceController(deps),
    newGarbageCollector(deps),
  ];
}
