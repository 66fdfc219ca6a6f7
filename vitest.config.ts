import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['pkg/**/*.test.ts', 'cmd/**/*.test.ts', 'test/meta/**/*.test.ts'],
          testTimeout: 20_000,
          // Modules have no state: loading them once for all files saves most of the time.
          isolate: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          // Real containers on a machine that may have other work: what fails is tried once more, and said to be flaky.
          retry: 1,
        },
      },
    ],
  },
});
