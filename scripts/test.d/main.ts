/**
 * Runs the tests of a project of vitest.config.ts; files that fail are run once more:
 *   scripts/node scripts/test.d/main.ts PROJECT
 */
import { relative } from 'node:path';
import { startVitest } from 'vitest/node';
import { type Outcome, twice } from './twice.ts';

const [project] = process.argv.slice(2);
if (project === undefined) throw new Error('usage: scripts/node scripts/test.d/main.ts PROJECT');

/** `files` are relative to the root of the repository. */
async function run(files: readonly string[] = []): Promise<Outcome> {
  const vitest = await startVitest([...files], { project: [project ?? ''], watch: false, run: true });
  const { root } = vitest.config;
  const failed = new Set(
    vitest.state
      .getTestModules()
      .filter((module) => !['passed', 'skipped'].includes(module.state()))
      .map(({ moduleId }) => relative(root, moduleId)),
  );
  let broken = vitest.state.getTestModules().length === 0;
  for (const error of vitest.state.getUnhandledErrors()) {
    const path = (error as { readonly VITEST_TEST_PATH?: string }).VITEST_TEST_PATH;
    if (path === undefined) broken = true;
    else failed.add(relative(root, path));
  }
  await vitest.close();
  return { failed: [...failed], broken };
}

process.exit(await twice(run, (line) => console.log(`\n${project}: ${line}`)));
