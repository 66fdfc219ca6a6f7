import type { SigCoverage } from './coverage.ts';

export const sigApiMachineryWebhooks: SigCoverage = {
  sig: 'sig-api-machinery',
  cases: {},
  notYetCovered: [
    'AdmissionWebhook listing mutating webhooks should work',
    'AdmissionWebhook listing validating webhooks should work',
    'AdmissionWebhook patching/updating a mutating webhook should work',
    'AdmissionWebhook patching/updating a validating webhook should work',
    'AdmissionWebhook should be able to deny attaching pod',
    'AdmissionWebhook should be able to deny custom resource creation, update and deletion',
    'AdmissionWebhook should be able to deny pod and configmap creation',
    'AdmissionWebhook should deny crd creation',
    'AdmissionWebhook should honor timeout',
    'AdmissionWebhook should include webhook resources in discovery documents',
    'AdmissionWebhook should mutate configmap',
    'AdmissionWebhook should mutate custom resource',
    'AdmissionWebhook should mutate custom resource with different stored version',
    'AdmissionWebhook should mutate custom resource with pruning',
    'AdmissionWebhook should mutate pod and apply defaults after mutation',
    'AdmissionWebhook should not be able to mutate or prevent deletion of webhook configuration objects',
    'AdmissionWebhook should unconditionally reject operations on fail closed webhook',
    'Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator',
    'CustomResourceConversionWebhook should be able to convert a non homogeneous list of CRs',
    'CustomResourceConversionWebhook should be able to convert from CR v1 to CR v2',
  ],
};
