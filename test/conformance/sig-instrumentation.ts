import type { SigCoverage } from './coverage.ts';

export const sigInstrumentation: SigCoverage = {
  sig: 'sig-instrumentation',
  cases: {},
  notYetCovered: [
    'Events API should delete a collection of events',
    'Events API should ensure that an event can be fetched, patched, deleted, and listed',
    'Events should delete a collection of events',
    'Events should manage the lifecycle of an event',
  ],
};
