/**
 * What v1.36 adds to the objects of the v1.28 server that the recordings are from. Patterns are for the end of a field path;
 * list indexes are written [].
 */
const newerFields: readonly string[] = [
  String.raw`containers\[\]\.resizePolicy`,
  String.raw`initContainers\[\]\.resizePolicy`,
  String.raw`ephemeralContainers\[\]\.resizePolicy`,
  String.raw`containers\[\]\.restartPolicyRules`,
  String.raw`metadata\.generation`,
  String.raw`status\.observedGeneration`,
  String.raw`status\.hostIPs`,
  String.raw`status\.resize`,
  String.raw`status\.resourceClaimStatuses`,
  String.raw`status\.conditions\[\]\.observedGeneration`,
  String.raw`status\.(containerStatuses|initContainerStatuses|ephemeralContainerStatuses)\[\]\.(allocatedResources|resources|user|volumeMounts|allocatedResourcesStatus|stopSignal)`,
  String.raw`status\.loadBalancer\.ingress\[\]\.ipMode`,
  String.raw`spec\.trafficDistribution`,
  String.raw`spec\.podReplacementPolicy`,
  String.raw`jobTemplate\.spec\.podReplacementPolicy`,
  String.raw`spec\.managedBy`,
  String.raw`spec\.successPolicy`,
  String.raw`spec\.backoffLimitPerIndex`,
  String.raw`spec\.maxFailedIndexes`,
  String.raw`status\.terminating`,
  String.raw`status\.terminatingReplicas`,
  String.raw`spec\.volumeAttributesClassName`,
  String.raw`status\.currentVolumeAttributesClassName`,
  String.raw`status\.modifyVolumeStatus`,
  String.raw`updateStrategy\.rollingUpdate\.maxUnavailable`,
  String.raw`status\.runtimeHandlers`,
  String.raw`status\.features`,
  String.raw`status\.declaredFeatures`,
  String.raw`spec\.nodeAllocatableUpdatePeriodSeconds`,
  String.raw`spec\.serviceAccountTokenInSecret`,
  String.raw`spec\.preventPodSchedulingIfMissing`,
  String.raw`spec\.versions\[\]\.selectableFields`,
  String.raw`webhooks\[\]\.matchConditions`,
  String.raw`spec\.strategy`,
  String.raw`spec\.preferredHolder`,
  String.raw`status\.userInfo\.extra\.authentication\.kubernetes\.io/credential-id`,
  String.raw`spec\.unhealthyPodEvictionPolicy`,
  String.raw`securityContext\.supplementalGroupsPolicy`,
  String.raw`status\.lastPhaseTransitionTime`,
  String.raw`status\.apiVersion`,
  String.raw`spec\.hostnameOverride`,
  String.raw`containers\[\]\.lifecycle\.stopSignal`,
];

const patterns = newerFields.map((pattern) => new RegExp(`(^|\\.)(${pattern})$`));

export function isNewerField(path: string): boolean {
  return patterns.some((pattern) => pattern.test(path));
}

/** Columns that v1.36 adds to tables. */
export const newerColumns: ReadonlySet<string> = new Set(['Status', 'TimeZone', 'Timezone', 'VolumeAttributesClass']);
