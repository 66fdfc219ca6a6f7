import type { SigCoverage } from './coverage.ts';

export const sigInstrumentation: SigCoverage = {
  sig: 'sig-instrumentation',
  cases: {
    'Events API should delete a collection of events': ['test/e2e/object-lives.test.ts > of %s are deleted together'],
    'Events API should ensure that an event can be fetched, patched, deleted, and listed': [
      'test/e2e/object-lives.test.ts > of %s are patched, given a series',
      'test/e2e/object-lives.test.ts > are selected in both versions by who reports them',
    ],
    'Events should delete a collection of events': ['test/e2e/object-lives.test.ts > of %s are deleted together'],
    'Events should manage the lifecycle of an event': [
      'test/e2e/object-lives.test.ts > of %s are patched, given a series',
    ],
  },
};
