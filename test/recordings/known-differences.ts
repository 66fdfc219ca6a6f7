/** Recordings that a v1.36 server answers differently by design: the scenario and what changed upstream after v1.28. */
export const knownDifferences: ReadonlyMap<string, string> = new Map([
  [
    'defaulting/service publishNotReady internal policy',
    'externalTrafficPolicy is defaulted for every Service that is reachable from outside, externalIPs included',
  ],
  ['discovery/openapi v2 types', 'StatefulSetSpec.serviceName is not required any more'],
  ['discovery/openapi v3 types apis/networking.k8s.io/v1', 'NetworkPolicySpec.podSelector is not required any more'],
  ['discovery/openapi v3 types apis/scheduling.k8s.io/v1', 'PriorityClass.value is not required any more'],
  ['fieldvalidation/warning duplicate env', 'the warning goes on: ", which may be dropped when using apply"'],
  ['table/hpa no metrics', 'targets of HorizontalPodAutoscalers name their metric: "cpu: <unknown>/80%"'],
  ['table/hpa v1', 'targets of HorizontalPodAutoscalers name their metric: "cpu: <unknown>/80%"'],
  ['table/hpa v2 metrics', 'targets of HorizontalPodAutoscalers name their metric: "cpu: <unknown>/80%"'],
  ['validation/pod host alias invalid', 'errors name the item: spec.hostAliases[0].ip'],
  ['validation/service loadBalancerSourceRanges bad', 'errors name the item: spec.LoadBalancerSourceRanges[0]'],
  [
    'validation/update job immutable',
    'the template of a suspended job that never ran can change in part: what cannot is spec.template.spec',
  ],
]);
