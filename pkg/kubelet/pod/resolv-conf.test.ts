import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { resolvConfPath } from './resolv-conf.ts';

const [host, stub] = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

test.each<[string, Record<string, string>, string]>([
  ['a resolver elsewhere', { [host]: 'nameserver 192.0.2.1\n', [stub]: 'nameserver 192.0.2.2\n' }, host],
  ['a stub', { [host]: 'nameserver 127.0.0.53\noptions edns0\n', [stub]: 'nameserver 192.0.2.2\n' }, stub],
  ['a stub of IPv6', { [host]: 'nameserver ::1\n', [stub]: 'nameserver 2001:db8::53\n' }, stub],
  [
    'a stub and a resolver',
    { [host]: 'nameserver 127.0.0.53\nnameserver 192.0.2.1\n', [stub]: 'nameserver 192.0.2.2\n' },
    host,
  ],
  ['a resolver of the host itself', { [host]: 'nameserver 127.0.0.1\n' }, host],
  ['a stub that asks nobody', { [host]: 'nameserver 127.0.0.53\n', [stub]: '' }, host],
  ['none', {}, host],
])('%s', async (_, files, expected) => {
  const root = await mkdtemp(join(tmpdir(), 'resolv-conf-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  expect(await resolvConfPath(root)).toBe(expected);
  await rm(root, { recursive: true });
});
