/**
 * Admission: what is changed in or refused of a request that its user may make. One plugin a file; the list below is all of
 * them, in the order in which they run (`admit` of all, then `validate` of all). Schema validation and defaulting are not
 * here (pkg/api), nor who may do what (../authorization). Corresponds to upstream's plugin/pkg/admission.
 */
import type { ResourceType } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Client } from '../../client/client.ts';
import { type EscalationDeps, rbacEscalationCheck } from '../authorization/escalation.ts';
import type { AdmissionPlugin, ObjectReader } from '../contract.ts';
import type { Definitions } from '../definitions.ts';
import { SchemaEngine } from '../registry/schema-engine.ts';
import type { WebhookClient } from '../webhooks/index.ts';
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  trustBundleAttestation,
} from './certificates.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { deviceAdminAccess } from './device-admin-access.ts';
import { expressionLoader } from './expressions/expression-loader.ts';
import { MatchConditionMetrics } from './expressions/match-condition-metrics.ts';
import { WebhookConditions } from './expressions/webhook-conditions.ts';
import { limitRanger } from './limit-ranger.ts';
import { Versions } from './matching/versions.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeDeclaredFeatures } from './node-declared-features.ts';
import { nodeRestriction } from './node-restriction.ts';
import { ownerReferences } from './owner-references.ts';
import { volumeResize } from './persistent-volume-claim-resize.ts';
import { podResize } from './pod-resize.ts';
import { podSecurity } from './pod-security.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import {
  type MutatingPoliciesDeps,
  MutatingPolicyMetrics,
  mutatingPolicies,
  type ValidatingPoliciesDeps,
  ValidatingPolicyMetrics,
  validatingPolicies,
} from './policy/index.ts';
import { priority } from './priority.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';
import { mutatingWebhooks, validatingWebhooks, type WebhookPluginDeps, webhookInstruments } from './webhook/index.ts';

export { ensureSystemPriorityClasses } from './priority.ts';

export interface AdmissionDeps extends EscalationDeps {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** A client of a user in system:masters: quota usage is written with it. */
  readonly client: Client;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly webhooks: WebhookClient;
  /** What is served, for webhooks and policies; not before the first request. */
  readonly definitions: Definitions;
  /** The resource of a kind, for owner references; undefined for kinds that are not served. */
  resourceOf(apiVersion: string, kind: string): ResourceType | undefined;
}

/** All admission plugins in upstream's order. */
export function admissionPlugins(deps: AdmissionDeps): AdmissionPlugin[] {
  const loadExpressions = expressionLoader();
  const versions = lazyVersions(deps);
  const conditionMetrics = new MatchConditionMetrics(deps.metrics);
  const webhooks = webhookDeps(deps, versions, loadExpressions, conditionMetrics);
  const policies = policyDeps(deps, versions, loadExpressions, conditionMetrics);
  return [
    namespaceLifecycle(deps),
    limitRanger(deps),
    serviceAccount(deps),
    nodeRestriction(deps),
    taintNodesByCondition(),
    podSecurity(deps),
    priority(deps),
    defaultTolerationSeconds(),
    defaultStorageClass(deps),
    storageObjectInUseProtection(),
    ownerReferences(deps),
    volumeResize(deps),
    runtimeClass(deps),
    certificateApproval(deps),
    certificateSigning(deps),
    trustBundleAttestation(deps),
    certificateSubjectRestriction(),
    defaultIngressClass(deps),
    podTopologyLabels(deps),
    deviceAdminAccess(deps),
    nodeDeclaredFeatures(deps),
    podResize(deps),
    rbacEscalationCheck(deps),
    mutatingPolicies(policies),
    mutatingWebhooks(webhooks),
    validatingPolicies(policies),
    validatingWebhooks(webhooks),
    resourceQuota(deps),
  ];
}

type LoadExpressions = ReturnType<typeof expressionLoader>;

/** The versions of what is served, which is not known before the server is made. */
function lazyVersions(deps: AdmissionDeps): () => Versions {
  let versions: Versions | undefined;
  return () => {
    const { definitions } = deps;
    versions ??= new Versions({ definitions, engine: new SchemaEngine({ definitions }) });
    return versions;
  };
}

function webhookDeps(
  deps: AdmissionDeps,
  versions: () => Versions,
  loadExpressions: LoadExpressions,
  conditionMetrics: MatchConditionMetrics,
): WebhookPluginDeps {
  const { reader, clock, logger, metrics, authorizer, webhooks } = deps;
  return {
    reader,
    clock,
    logger,
    client: webhooks,
    conditions: new WebhookConditions({ authorizer, clock, metrics: conditionMetrics, loadExpressions }),
    instruments: webhookInstruments(metrics),
    get versions() {
      return versions();
    },
  };
}

function policyDeps(
  deps: AdmissionDeps,
  versions: () => Versions,
  loadExpressions: LoadExpressions,
  conditionMetrics: MatchConditionMetrics,
): ValidatingPoliciesDeps & MutatingPoliciesDeps {
  const { reader, clock, metrics, authorizer } = deps;
  return {
    reader,
    clock,
    authorizer,
    conditionMetrics,
    validatingMetrics: new ValidatingPolicyMetrics(metrics),
    mutatingMetrics: new MutatingPolicyMetrics(metrics),
    loadExpressions,
    get versions() {
      return versions();
    },
    get definitions() {
      return deps.definitions;
    },
  };
}
