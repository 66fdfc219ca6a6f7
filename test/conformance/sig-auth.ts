import type { SigCoverage } from './coverage.ts';

export const sigAuth: SigCoverage = {
  sig: 'sig-auth',
  cases: {
    'Certificates API should support CSR API operations': [
      'test/e2e/api-machinery.test.ts > %s has its resources',
      'test/e2e/object-lives.test.ts > certificate signing requests, with approval and status',
    ],
    'ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace': [
      'test/e2e/object-lives.test.ts > find the root certificate in every namespace',
    ],
    'ServiceAccounts should run through the lifecycle of a ServiceAccount': [
      'test/e2e/object-lives.test.ts > are watched, patched, updated, found by label and deleted',
    ],
    'ServiceAccounts should update a ServiceAccount': [
      'test/e2e/object-lives.test.ts > are watched, patched, updated, found by label and deleted',
    ],
    'SubjectReview should support SubjectReview API operations': [
      'test/e2e/object-lives.test.ts > may do what reviews say of them',
    ],
    'ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer': [
      'test/e2e/kubectl-workloads.test.ts > tokens are mounted as account and pod want',
    ],
    'ServiceAccounts should allow opting out of API token automount': [
      'test/e2e/kubectl-workloads.test.ts > tokens are mounted as account and pod want',
    ],
    'ServiceAccounts should mount an API token into pods': [
      'test/e2e/kubectl-workloads.test.ts > tokens are mounted as account and pod want',
    ],
    'ServiceAccounts should mount projected service account token': [
      'test/e2e/kubectl-workloads.test.ts > tokens are mounted as account and pod want',
    ],
  },
};
