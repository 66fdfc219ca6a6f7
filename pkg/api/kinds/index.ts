/**
 * What is special about each built-in kind: defaults, initial values, validation, rules for updates. Owns no storage and no
 * metadata that is the same for every kind. Corresponds to upstream's pkg/apis (defaults, validation) and pkg/registry
 * (strategies).
 */
import type { Strategy } from '../definition.ts';
import {
  mutatingAdmissionPolicyBindingStrategy,
  mutatingAdmissionPolicyStrategy,
  validatingAdmissionPolicyBindingStrategy,
  validatingAdmissionPolicyStrategy,
} from './admissionpolicy.ts';
import { apiServiceStrategy } from './apiservice.ts';
import { certificateSigningRequestStrategy } from './certificatesigningrequest.ts';
import { configMapStrategy } from './configmap.ts';
import { cronJobStrategy } from './cronjob.ts';
import { csiDriverStrategy, csiNodeStrategy, csiStorageCapacityStrategy } from './csi.ts';
import { customResourceDefinitionStrategy } from './customresourcedefinition.ts';
import { daemonSetStrategy } from './daemonset.ts';
import { deploymentStrategy } from './deployment.ts';
import { endpointsStrategy } from './endpoints.ts';
import { endpointSliceStrategy } from './endpointslice.ts';
import { eventStrategy, newEventStrategy } from './event.ts';
import { extensionsDeploymentStrategy, extensionsIngressStrategy } from './extensions.ts';
import { flowSchemaStrategy, priorityLevelConfigurationStrategy } from './flowcontrol.ts';
import { horizontalPodAutoscalerStrategy } from './hpa.ts';
import { ingressClassStrategy, ingressStrategy } from './ingress.ts';
import { jobStrategy } from './job.ts';
import { namespaceStrategy } from './namespace.ts';
import { networkPolicyStrategy } from './networkpolicy.ts';
import { nodeStrategy } from './node.ts';
import { persistentVolumeStrategy } from './persistentvolume.ts';
import { persistentVolumeClaimStrategy } from './persistentvolumeclaim.ts';
import { bindingStrategy, podStrategy } from './pod.ts';
import { podDisruptionBudgetStrategy, priorityClassStrategy, runtimeClassStrategy } from './policy.ts';
import { limitRangeStrategy, resourceQuotaStrategy } from './quota.ts';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac.ts';
import { replicaSetStrategy } from './replicaset.ts';
import { replicationControllerStrategy } from './replicationcontroller.ts';
import { deviceClassStrategy, resourceClaimStrategy, resourceClaimTemplateStrategy } from './resourceclaim.ts';
import { resourceSliceStrategy } from './resourceslice.ts';
import { secretStrategy } from './secret.ts';
import { serviceStrategy } from './service.ts';
import { ipAddressStrategy, serviceCIDRStrategy } from './servicecidr.ts';
import {
  controllerRevisionStrategy,
  leaseStrategy,
  podTemplateStrategy,
  scaleStrategy,
  serviceAccountStrategy,
} from './simple.ts';
import { statefulSetStrategy } from './statefulset.ts';
import { storageClassStrategy, volumeAttributesClassStrategy } from './storageclass.ts';
import { volumeAttachmentStrategy } from './volumeattachment.ts';
import { mutatingWebhookStrategy, validatingWebhookStrategy } from './webhook.ts';

/** Strategies by `group/Kind`; the core group is ''. A kind that is not here has no rules of its own. */
export const strategies: ReadonlyMap<string, Strategy> = new Map([
  ['/Binding', bindingStrategy],
  ['/ConfigMap', configMapStrategy],
  ['/Endpoints', endpointsStrategy],
  ['/Event', eventStrategy],
  ['/LimitRange', limitRangeStrategy],
  ['/Namespace', namespaceStrategy],
  ['/Node', nodeStrategy],
  ['/PersistentVolume', persistentVolumeStrategy],
  ['/PersistentVolumeClaim', persistentVolumeClaimStrategy],
  ['/Pod', podStrategy],
  ['/PodTemplate', podTemplateStrategy],
  ['/ReplicationController', replicationControllerStrategy],
  ['/ResourceQuota', resourceQuotaStrategy],
  ['/Secret', secretStrategy],
  ['/Service', serviceStrategy],
  ['/ServiceAccount', serviceAccountStrategy],
  ['admissionregistration.k8s.io/MutatingAdmissionPolicy', mutatingAdmissionPolicyStrategy],
  ['admissionregistration.k8s.io/MutatingAdmissionPolicyBinding', mutatingAdmissionPolicyBindingStrategy],
  ['admissionregistration.k8s.io/ValidatingAdmissionPolicy', validatingAdmissionPolicyStrategy],
  ['admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding', validatingAdmissionPolicyBindingStrategy],
  ['admissionregistration.k8s.io/MutatingWebhookConfiguration', mutatingWebhookStrategy],
  ['admissionregistration.k8s.io/ValidatingWebhookConfiguration', validatingWebhookStrategy],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinitionStrategy],
  ['apiregistration.k8s.io/APIService', apiServiceStrategy],
  ['apps/ControllerRevision', controllerRevisionStrategy],
  ['apps/DaemonSet', daemonSetStrategy],
  ['apps/Deployment', deploymentStrategy],
  ['apps/ReplicaSet', replicaSetStrategy],
  ['apps/StatefulSet', statefulSetStrategy],
  ['autoscaling/HorizontalPodAutoscaler', horizontalPodAutoscalerStrategy],
  ['autoscaling/Scale', scaleStrategy],
  ['batch/CronJob', cronJobStrategy],
  ['batch/Job', jobStrategy],
  ['certificates.k8s.io/CertificateSigningRequest', certificateSigningRequestStrategy],
  ['coordination.k8s.io/Lease', leaseStrategy],
  ['discovery.k8s.io/EndpointSlice', endpointSliceStrategy],
  ['events.k8s.io/Event', newEventStrategy],
  ['extensions/Deployment', extensionsDeploymentStrategy],
  ['extensions/Ingress', extensionsIngressStrategy],
  ['flowcontrol.apiserver.k8s.io/FlowSchema', flowSchemaStrategy],
  ['flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration', priorityLevelConfigurationStrategy],
  ['networking.k8s.io/IPAddress', ipAddressStrategy],
  ['networking.k8s.io/Ingress', ingressStrategy],
  ['networking.k8s.io/IngressClass', ingressClassStrategy],
  ['networking.k8s.io/NetworkPolicy', networkPolicyStrategy],
  ['networking.k8s.io/ServiceCIDR', serviceCIDRStrategy],
  ['node.k8s.io/RuntimeClass', runtimeClassStrategy],
  ['policy/PodDisruptionBudget', podDisruptionBudgetStrategy],
  ['rbac.authorization.k8s.io/ClusterRole', clusterRoleStrategy],
  ['rbac.authorization.k8s.io/ClusterRoleBinding', clusterRoleBindingStrategy],
  ['rbac.authorization.k8s.io/Role', roleStrategy],
  ['rbac.authorization.k8s.io/RoleBinding', roleBindingStrategy],
  ['resource.k8s.io/DeviceClass', deviceClassStrategy],
  ['resource.k8s.io/ResourceClaim', resourceClaimStrategy],
  ['resource.k8s.io/ResourceClaimTemplate', resourceClaimTemplateStrategy],
  ['resource.k8s.io/ResourceSlice', resourceSliceStrategy],
  ['scheduling.k8s.io/PriorityClass', priorityClassStrategy],
  ['storage.k8s.io/CSIDriver', csiDriverStrategy],
  ['storage.k8s.io/CSINode', csiNodeStrategy],
  ['storage.k8s.io/CSIStorageCapacity', csiStorageCapacityStrategy],
  ['storage.k8s.io/StorageClass', storageClassStrategy],
  ['storage.k8s.io/VolumeAttachment', volumeAttachmentStrategy],
  ['storage.k8s.io/VolumeAttributesClass', volumeAttributesClassStrategy],
]);
