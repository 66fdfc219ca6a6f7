import { defineConfig } from 'vitest/config';

/**
 * End-to-end tests without a node on the machine itself: API servers and controllers alone, or nodes in network namespaces of
 * their own. They share nothing of the machine with other tests, so scripts/test runs them beside those. Those that
 * measure (fairness, fuzz) are not among them.
 */
const apart = [
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
].map((name) => `test/e2e/${name}.test.ts`);

const endToEnd = {
  testTimeout: 180_000,
  hookTimeout: 300_000,
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
          testTimeout: 20_000,
          // Modules have no state: loading them once for all files saves most of the time.
          isolate: false,
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], exclude: apart, ...endToEnd } },
      { test: { name: 'e2e-apart', include: apart, ...endToEnd } },
    ],
  },
});
