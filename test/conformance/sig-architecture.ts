import type { SigCoverage } from './coverage.ts';

export const sigArchitecture: SigCoverage = {
  sig: 'sig-architecture',
  cases: {},
  notYetCovered: ['Conformance Tests should have at least two untainted nodes'],
};
