import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { serveZPage } from './zpages.ts';

let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://kubelet');
    const flags = { 'node-name': 'n1', 'max-pods': '110' };
    const name = url.pathname === '/flagz' ? 'flagz' : 'statusz';
    serveZPage(name, request, url.searchParams, response, { clock: systemClock, flags });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function ask(path: string, accept: string) {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept } });
  const header = (name: string): string | null => answer.headers.get(name);
  return { status: answer.status, type: header('content-type'), warning: header('warning'), text: await answer.text() };
}

test('pages for people name the kubelet', async () => {
  const { status, type, text } = await ask('/flagz', 'text/plain');
  expect([status, type]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(text).toMatch(/^\nkubelet flagz\nWarning: This endpoint is not .*\n\nmax-pods: 110\nnode-name: n1\n$/);
  expect((await ask('/statusz', '')).text).toMatch(
    /^\nkubelet statusz\nWarning: .*\n\nStarted: .* UTC \d{4}\nUp: \d+ hr \d\d min \d\d sec\nGo version: .*\nBinary version: 1\.36\.0\nEmulation version: 1\.36\nPaths: \/configz \/flagz \/healthz \/metrics\n$/,
  );
});

test('programs get objects', async () => {
  const { type, warning, text } = await ask('/flagz', 'application/json;as=Flagz;g=config.k8s.io;v=v1beta1');
  expect([type, warning]).toEqual(['application/json;g=config.k8s.io;v=v1beta1;as=Flagz', null]);
  expect(JSON.parse(text)).toEqual({
    kind: 'Flagz',
    apiVersion: 'config.k8s.io/v1beta1',
    metadata: { name: 'kubelet' },
    flags: { 'max-pods': '110', 'node-name': 'n1' },
  });
  const old = await ask('/statusz?pretty=true', 'application/json;as=Statusz;g=config.k8s.io;v=v1alpha1');
  expect(old.warning).toContain('This version of the statusz endpoint is deprecated.');
  expect(old.text).toContain('\n  "kind": "Statusz"');
});

test('what there is no form for is refused with a Status', async () => {
  const { status, text } = await ask('/statusz', 'application/json');
  expect(status).toBe(406);
  expect(JSON.parse(text)).toMatchObject({
    kind: 'Status',
    reason: 'NotAcceptable',
    message: 'only the following media types are accepted: application/json, application/yaml, text/plain',
  });
});
