import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveNodeLogs } from './node-logs.ts';
import { RequestError } from './requests.ts';

let directory: string;
let server: Server;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-logs-'));
  const root = join(directory, 'log');
  await mkdir(join(root, 'pods/a b'), { recursive: true });
  await writeFile(join(root, 'messages'), 'one\ntwo\n');
  await writeFile(join(root, 'empty'), '');
  await writeFile(join(root, 'pods/a b/<0>.log'), 'inner\n');
  await writeFile(join(directory, 'secret'), 'secret');
  await symlink('messages', join(root, 'inside'));
  await symlink('../secret', join(root, 'outside'));
  await symlink('/dev/zero', join(root, 'zero'));
  server = createServer((request, response) => {
    serveNodeLogs(root, request.url ?? '', request.method, response).catch((error: unknown) => {
      response.writeHead(error instanceof RequestError ? error.status : 500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

async function ask(path: string, method = 'GET'): Promise<[status: number, text: string]> {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' });
  return [answer.status, answer.headers.get('location') ?? (await answer.text())];
}

test.each([
  ['/logs/messages', 200, 'one\ntwo\n'],
  ['/logs/empty', 200, ''],
  ['/logs/pods/a%20b/%3C0%3E.log', 200, 'inner\n'],
  ['/logs/inside', 200, 'one\ntwo\n'],
  ['/logs', 301, 'logs/'],
  ['/logs/pods', 301, 'pods/'],
  ['/logs/messages/', 301, '../messages'],
  ['/logs/absent', 404, ''],
  ['/logs/outside', 404, ''],
  ['/logs/zero', 404, ''],
  ['/logs/%2e%2e/secret', 404, ''],
  ['/logs/..%2fsecret', 404, ''],
  ['/logs/%zz', 400, ''],
  ['/logs/a%00', 400, ''],
])('%s', async (path, status, text) => {
  expect(await ask(path)).toEqual([status, text]);
});

test('a directory is a page of links', async () => {
  const [status, text] = await ask('/logs/');
  expect(status).toBe(200);
  expect(text).toContain('<a href="messages">messages</a>\n');
  expect(text).toContain('<a href="pods/">pods/</a>\n');
  expect((await ask('/logs/pods/a%20b/'))[1]).toContain('<a href="%3C0%3E.log">&lt;0&gt;.log</a>');
});

test('it is only read', async () => {
  expect(await ask('/logs/messages', 'HEAD')).toEqual([200, '']);
  expect((await ask('/logs/messages', 'DELETE'))[0]).toBe(405);
});
