import type { SigCoverage } from './coverage.ts';

export const sigArchitecture: SigCoverage = {
  sig: 'sig-architecture',
  cases: {
    'Conformance Tests should have at least two untainted nodes': [
      'test/e2e/network-nodes.test.ts > pods reach each other and Services in both families',
    ],
  },
};
