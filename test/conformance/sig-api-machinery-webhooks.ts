import type { SigCoverage } from './coverage.ts';

const CUSTOM_RESOURCES = 'test/e2e/webhooks.test.ts > deny attaching, definitions and custom resources';
const CHANGED = 'test/e2e/webhooks.test.ts > a configuration that is updated or patched is in force at once';
const LISTED = 'test/e2e/webhooks.test.ts > ten configurations are listed by a label, and deleted as a collection';
const ONE_AFTER_THE_OTHER =
  'test/e2e/webhooks.test.ts > change configmaps one after the other, and pods before their defaults';
const CONVERTED = 'test/e2e/webhooks.test.ts > convert custom resources';

export const sigApiMachineryWebhooks: SigCoverage = {
  sig: 'sig-api-machinery',
  cases: {
    'AdmissionWebhook listing mutating webhooks should work': [LISTED],
    'AdmissionWebhook listing validating webhooks should work': [LISTED],
    'AdmissionWebhook patching/updating a mutating webhook should work': [CHANGED],
    'AdmissionWebhook patching/updating a validating webhook should work': [CHANGED],
    'AdmissionWebhook should be able to deny attaching pod': [CUSTOM_RESOURCES],
    'AdmissionWebhook should be able to deny custom resource creation, update and deletion': [CUSTOM_RESOURCES],
    'AdmissionWebhook should be able to deny pod and configmap creation': [
      'test/e2e/webhooks.test.ts > deny pods and configmaps, and hold nobody up elsewhere',
    ],
    'AdmissionWebhook should deny crd creation': [CUSTOM_RESOURCES],
    'AdmissionWebhook should honor timeout': ['test/e2e/webhooks.test.ts > are given so much time and no more'],
    'AdmissionWebhook should include webhook resources in discovery documents': [
      'test/e2e/webhooks.test.ts > are discovered',
    ],
    'AdmissionWebhook should mutate configmap': [ONE_AFTER_THE_OTHER],
    'AdmissionWebhook should mutate custom resource': [CUSTOM_RESOURCES],
    'AdmissionWebhook should mutate custom resource with different stored version': [
      'test/e2e/webhooks.test.ts > change custom resources whose stored version changes',
    ],
    'AdmissionWebhook should mutate custom resource with pruning': [CUSTOM_RESOURCES],
    'AdmissionWebhook should mutate pod and apply defaults after mutation': [ONE_AFTER_THE_OTHER],
    'AdmissionWebhook should not be able to mutate or prevent deletion of webhook configuration objects': [
      'test/e2e/webhooks.test.ts > have no say about webhook configurations',
    ],
    'AdmissionWebhook should unconditionally reject operations on fail closed webhook': [
      'test/e2e/webhooks.test.ts > that nobody can trust refuse whatever they are to judge',
    ],
    'Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator': [
      'test/e2e/aggregation.test.ts > is discovered, explained and used like any other',
      'test/e2e/aggregation.test.ts > knows who makes a request, and asks what they may do',
      'test/e2e/aggregation.test.ts > is watched',
      'test/e2e/aggregation.test.ts > has an APIService that is patched, labelled, replaced, listed',
    ],
    'CustomResourceConversionWebhook should be able to convert a non homogeneous list of CRs': [CONVERTED],
    'CustomResourceConversionWebhook should be able to convert from CR v1 to CR v2': [CONVERTED],
  },
};
