import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeCredentials } from './credential-files.ts';
import { parseImageName } from './image-name.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'credentials-'));
  await mkdir(join(dir, 'home/.docker'), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

const entry = (username: string): object => ({
  'r.example': { auth: Buffer.from(`${username}:p`).toString('base64') },
});
const write = (path: string, content: object | string): Promise<void> =>
  writeFile(join(dir, path), typeof content === 'string' ? content : JSON.stringify(content));
const users = async (image: string): Promise<(string | undefined)[]> => {
  const found = await nodeCredentials(parseImageName(image), { rootDir: dir, homeDir: join(dir, 'home') });
  return found.map(({ username }) => username);
};

test('the first file that is one counts', async () => {
  expect(await users('r.example/a')).toEqual([]);
  await write('home/.dockercfg', entry('old'));
  expect(await users('r.example/a')).toEqual(['old']);
  await write('home/.docker/config.json', { auths: entry('home') });
  expect(await users('r.example/a')).toEqual(['home']);
  await write('config.json', 'garbage');
  expect(await users('r.example/a')).toEqual(['home']);
  await write('config.json', { auths: { ...entry('node'), broken: null } });
  expect(await users('r.example/a')).toEqual(['node']);
  expect(await users('other.example/a')).toEqual([]);
});
