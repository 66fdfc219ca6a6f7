import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claim } from './claim.ts';

test('a name is had by one process, until it ends', async () => {
  const name = randomUUID();
  const inAnother = (): string => {
    const script = `const { claim } = await import(${JSON.stringify(join(import.meta.dirname, 'claim.ts'))});
      console.log(await claim(${JSON.stringify(name)}))`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  };
  expect(inAnother()).toBe('true\n');
  expect(await claim(name)).toBe(true);
  expect(await claim(name)).toBe(false);
  expect(inAnother()).toBe('false\n');
});
