import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../base/clock.ts';

/** The containerd that was started last, as its record on disk has it. */
export interface ProcessRecord {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: tells a reused pid from the same process. */
  readonly startTime: string;
  /** What the process was started with; another digest means it must be replaced. */
  readonly digest: string;
}

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
}

const MAX_LOG_BYTES = 10 * 1024 * 1024;

/** Starts a process that outlives this one; its output is appended to the log file. */
export async function spawnDetached(options: SpawnOptions): Promise<{ pid: number; exited: Promise<string> }> {
  await mkdir(dirname(options.logPath), { recursive: true });
  const size = await stat(options.logPath).then(
    (info) => info.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await rename(options.logPath, `${options.logPath}.1`);
  const log = openSync(options.logPath, 'a', 0o640);
  try {
    const child = spawn(options.command, options.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env,
      cwd: '/',
    });
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    child.unref();
    if (child.pid === undefined) throw new Error(await exited);
    return { pid: child.pid, exited };
  } finally {
    closeSync(log);
  }
}

export async function writeRecord(path: string, record: ProcessRecord): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The recorded process if it is still running. */
export async function readRunning(path: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as ProcessRecord;
  return (await processStartTime(record.pid)) === record.startTime ? record : undefined;
}

/** Undefined when there is no such process (zombies count as gone). */
export async function processStartTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** SIGTERM, then SIGKILL after `graceMs`; returns when the process is gone. */
export async function terminate(record: ProcessRecord, graceMs: number, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + graceMs;
  let killed = false;
  signalProcess(record.pid, 'SIGTERM');
  while ((await processStartTime(record.pid)) === record.startTime) {
    if (!killed && clock.monotonic() > deadline) {
      killed = true;
      signalProcess(record.pid, 'SIGKILL');
    }
    await clock.sleep(20);
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between; the caller looks again.
  }
}

/** Stops the containerd that `recordPath` tells of, for uninstalling. Containers' shims go on. */
export async function stopRecorded(recordPath: string, clock: Clock): Promise<void> {
  const record = await readRunning(recordPath);
  if (record !== undefined) await terminate(record, 10_000, clock);
  await rm(recordPath, { force: true });
}
