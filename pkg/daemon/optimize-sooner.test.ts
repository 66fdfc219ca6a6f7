import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { COUNTS } from './optimize-sooner.ts';

test.each(Object.entries(COUNTS))('V8 has --%s, and waits for more calls by default', (flag, count) => {
  const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  const byDefault = new RegExp(`type: int +default: --${flag}=(\\d+)`).exec(options)?.[1];
  expect(Number(byDefault)).toBeGreaterThan(count);
});
