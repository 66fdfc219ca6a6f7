import { defineConfig } from 'vitest/config';

const filesOf = (names: readonly string[]): string[] => names.map((name) => `test/e2e/${name}.test.ts`);

/** What is measured in these is true of a machine that does nothing else: scripts/test runs them when all others are done. */
const measuring = filesOf(['fairness', 'fuzz']);

/**
 * End-to-end tests without a node on the machine itself: API servers and controllers alone, or nodes in network namespaces of
 * their own. They share nothing of the machine with other tests, so scripts/test runs them beside those.
 */
const apart = filesOf([
  'agents',
  'api-machinery',
  'audit',
  'auth',
  'behaviour',
  'crash',
  'crd-publishing',
  'crd',
  'encryption',
  'kubelet-join',
  'network-ipv6',
  'network-nodes',
  'object-lives',
  'objects',
  'operations',
  'policies',
  'protobuf',
  'quotas',
  'recordings',
  'removed-versions',
  'scheduling-policies',
  'scheduling',
  'service-api',
]);

/** For machines that are busy or slow: no test waits so long when all is well. */
const UNIT_MS = 60_000;

const endToEnd = {
  testTimeout: 300_000,
  hookTimeout: 600_000,
  fileParallelism: false,
  // Real containers on a machine that may have other work: what fails is tried once more, and said to be flaky.
  retry: 1,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['pkg/**/*.test.ts', 'cmd/**/*.test.ts', 'scripts/**/*.test.ts', 'test/meta/**/*.test.ts'],
          testTimeout: UNIT_MS,
          hookTimeout: UNIT_MS,
          expect: { poll: { timeout: UNIT_MS / 2 } },
          // Modules have no state: loading them once for all files saves most of the time.
          isolate: false,
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], exclude: [...apart, ...measuring], ...endToEnd } },
      { test: { name: 'e2e-apart', include: apart, ...endToEnd } },
      { test: { name: 'e2e-alone', include: measuring, ...endToEnd } },
    ],
  },
});
