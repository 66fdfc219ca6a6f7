import type { SigCoverage } from './coverage.ts';

export const sigAuth: SigCoverage = {
  sig: 'sig-auth',
  cases: {},
  notYetCovered: [
    'Certificates API should support CSR API operations',
    'ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer',
    'ServiceAccounts should allow opting out of API token automount',
    'ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace',
    'ServiceAccounts should mount an API token into pods',
    'ServiceAccounts should mount projected service account token',
    'ServiceAccounts should run through the lifecycle of a ServiceAccount',
    'ServiceAccounts should update a ServiceAccount',
    'SubjectReview should support SubjectReview API operations',
  ],
};
