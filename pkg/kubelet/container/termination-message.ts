import { open } from 'node:fs/promises';
import { TERMINATION_MESSAGE_PATH, TERMINATION_MESSAGE_POLICY } from '../labels.ts';
import { parseLogLine } from '../logs/cri-log.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';

const MAX_MESSAGE_BYTES = 4096;
const MAX_LOG_LINES = 80;
const MAX_LOG_BYTES = 2048;

/**
 * The termination message of an ended container: its message file, or by policy FallbackToLogsOnError the end of its log; the
 * runtime's own message when it never ran.
 */
export async function terminationMessage(container: RuntimeContainer, messagePath: string): Promise<string> {
  const { annotations, exitCode, logPath, message } = container;
  let text = annotations[TERMINATION_MESSAGE_PATH] ? await readStart(messagePath) : '';
  if (text === '' && annotations[TERMINATION_MESSAGE_POLICY] === 'FallbackToLogsOnError' && exitCode !== 0) {
    text = await logTail(logPath);
  }
  if (message === '') return text;
  return text === '' ? message : `${message}: ${text}`;
}

async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const buffer = Buffer.alloc(MAX_MESSAGE_BYTES);
    const { bytesRead } = await file.read(buffer, 0, MAX_MESSAGE_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

/** The last bytes of a file, however large it is. */
async function readEnd(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function logTail(path: string): Promise<string> {
  const lines = (await readEnd(path, 20 * MAX_LOG_BYTES)).toString().split('\n').slice(0, -1).slice(-MAX_LOG_LINES);
  const text = lines.map((line) => {
    const parsed = parseLogLine(Buffer.from(`${line}\n`));
    return parsed === undefined ? '' : parsed.content.toString();
  });
  return Buffer.from(text.join('')).subarray(-MAX_LOG_BYTES).toString();
}
