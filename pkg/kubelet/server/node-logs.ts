import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join, posix, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errnoCode } from '../../base/errors.ts';
import { RequestError } from './requests.ts';

/** What `/logs/` shows, as upstream: the machine's own logs. */
export const NODE_LOG_DIR = '/var/log';

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.json': 'application/json' };
const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/**
 * Answers with a file below `root`, or with a page of links for a directory, as Go's file server does. `path`: the URL's, still
 * escaped, beginning with `/logs`. A link that leads out of `root` is not followed: who may read logs may not read all files.
 * Throws RequestError.
 */
export async function serveNodeLogs(
  root: string,
  path: string,
  method: string | undefined,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') throw new RequestError(405, 'Method Not Allowed');
  const file = await locate(root, path.slice('/logs'.length));
  const { isDirectory, sizeBytes } = await describe(file);
  if (isDirectory && !path.endsWith('/')) {
    response.writeHead(301, { location: `${posix.basename(path)}/` }).end();
  } else if (isDirectory) {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(await listing(file));
  } else if (path.endsWith('/')) {
    response.writeHead(301, { location: `../${posix.basename(path)}` }).end();
  } else {
    const type = TYPES[extname(file)] ?? 'text/plain; charset=utf-8';
    response.writeHead(200, { 'content-type': type, 'content-length': sizeBytes });
    if (method === 'HEAD' || sizeBytes === 0) response.end();
    // A log that grows meanwhile is as long as it was said to be.
    else await pipeline(createReadStream(file, { end: sizeBytes - 1 }), response);
  }
}

async function locate(root: string, escaped: string): Promise<string> {
  let path: string;
  try {
    path = decodeURIComponent(escaped);
  } catch {
    throw new RequestError(400, 'the path is badly escaped');
  }
  if (path.includes('\0')) throw new RequestError(400, 'the path is badly escaped');
  const base = await found(realpath(root));
  const file = await found(realpath(join(base, posix.normalize(`/${path}`).replace(/\/$/, ''))));
  if (file !== base && !file.startsWith(base + sep)) throw new RequestError(404, '404 page not found');
  return file;
}

async function describe(file: string): Promise<{ isDirectory: boolean; sizeBytes: number }> {
  const stats = await found(stat(file));
  // A device or a pipe could be read without end.
  if (!stats.isDirectory() && !stats.isFile()) throw new RequestError(403, '403 Forbidden');
  return { isDirectory: stats.isDirectory(), sizeBytes: stats.size };
}

async function found<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') throw new RequestError(404, '404 page not found');
    throw error;
  }
}

async function listing(directory: string): Promise<string> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  const links = names.map((name) => {
    const href = encodeURIComponent(name.replace(/\/$/, '')) + (name.endsWith('/') ? '/' : '');
    return `<a href="${href}">${name.replace(/[&<>"']/g, (letter) => ESCAPED[letter] ?? '')}</a>\n`;
  });
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('')}</pre>\n`;
}
