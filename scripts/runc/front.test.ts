import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execOutput, systemExec } from '../../pkg/base/exec.ts';
import { buildRuncFront } from './build.ts';

let dir: string;
let root: string;
let process: ChildProcess;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runc-'));
  buildRuncFront(join(dir, 'front'));
  await writeFile(join(dir, 'runc'), '#!/bin/sh\nshift 6; echo "$@"; exit 3\n', { mode: 0o755 });
});
afterAll(() => rm(dir, { recursive: true }));
beforeEach(async () => {
  root = await mkdtemp(join(dir, 'root-'));
  process = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(process, 'spawn');
});
afterEach(() => {
  process.kill('SIGKILL');
});

interface Given {
  /** Default: the process's own. */
  readonly started?: number;
  readonly freezer?: string;
  readonly procs?: string;
  readonly version2?: boolean;
}

/** What runc has of a container whose process runs. */
async function container({ started, freezer = 'THAWED', procs = '', version2 = false }: Given = {}): Promise<void> {
  const cgroup = join(root, 'cgroup');
  for (const made of [join(root, 'c1'), cgroup]) await mkdir(made);
  await writeFile(join(cgroup, 'freezer.state'), `${freezer}\n`);
  await writeFile(join(cgroup, 'cgroup.freeze'), freezer === 'THAWED' ? '0\n' : '1\n');
  await writeFile(join(cgroup, 'cgroup.procs'), procs);
  const stat = await readFile(`/proc/${process.pid}/stat`, 'utf8');
  const state = {
    init_process_pid: process.pid,
    init_process_start: started ?? Number(stat.slice(stat.lastIndexOf(')')).split(' ')[20]),
    cgroup_paths: version2 ? { '': cgroup } : { devices: cgroup, freezer: cgroup },
  };
  await writeFile(join(root, 'c1/state.json'), JSON.stringify(state));
}

/** What runc was asked; '' when it was not, and there was no error. */
async function ask(...words: string[]): Promise<string> {
  const options = ['--root', root, '--log', '/dev/null', '--log-format', 'json'];
  const { code, stdout } = await systemExec.run(join(dir, 'front'), [...options, ...words]);
  expect(code).toBe(stdout === '' ? 0 : 3);
  return stdout.trim();
}

const ended = async (): Promise<unknown> => (await once(process, 'exit'))[1];

describe('the program before runc', () => {
  test.each([[{}], [{ version2: true }]])('delivers a signal: %j', async (given) => {
    await container(given);
    const end = ended();
    expect(await ask('kill', 'c1', '15')).toBe('');
    expect(await end).toBe('SIGTERM');
    expect(await ask('kill', 'c1', '9')).toBe('kill c1 9');
  });

  test.each<[string, Given]>([
    ['another process has its number', { started: 1 }],
    ['it is paused', { freezer: 'FROZEN' }],
    ['it is paused, with cgroups of version 2', { freezer: 'FROZEN', version2: true }],
  ])('leaves a signal to runc when %s', async (_, given) => {
    await container(given);
    expect(await ask('kill', 'c1', '15')).toBe('kill c1 15');
    expect(process.exitCode ?? process.signalCode).toBeNull();
  });

  test('lets a process start that waits for it', async () => {
    await container();
    const fifo = join(root, 'c1/exec.fifo');
    await execOutput(systemExec, 'mkfifo', [fifo]);
    const waiting = execOutput(systemExec, 'sh', ['-c', `printf 0 >${fifo}; echo started`]);
    expect(await ask('start', 'c1')).toBe('');
    expect(await waiting).toBe('started\n');
    expect(await readdir(join(root, 'c1'))).toEqual(['state.json']);
    expect(await ask('start', 'c1')).toBe('start c1');
  });

  test('leaves a start to runc whose process has ended', async () => {
    await container();
    await execOutput(systemExec, 'mkfifo', [join(root, 'c1/exec.fifo')]);
    const asked = ask('start', 'c1');
    process.kill('SIGKILL');
    expect(await asked).toBe('start c1');
  });

  test('has nothing to kill where no process is left', async () => {
    await container();
    expect(await ask('kill', '--all', 'c1', '9')).toBe('kill --all c1 9');
    const end = ended();
    process.kill('SIGKILL');
    await end;
    expect(await ask('kill', '--all', 'c1', '9')).toBe('');
    await mkdir(join(root, 'cgroup/below'));
    expect(await ask('kill', '--all', 'c1', '9')).toBe('kill --all c1 9');
    await rm(join(root, 'cgroup/below'), { recursive: true });
    await writeFile(join(root, 'cgroup/cgroup.procs'), '1\n');
    expect(await ask('kill', '--all', 'c1', '9')).toBe('kill --all c1 9');
  });

  test('has nothing to delete by force where nothing is', async () => {
    await container();
    expect(await ask('delete', '--force', 'gone')).toBe('');
    expect(await ask('delete', 'gone')).toBe('delete gone');
    expect(await ask('delete', '--force', 'c1')).toBe('delete --force c1');
    expect(await ask('delete', '--force', '../x')).toBe('delete --force ../x');
  });

  test.each([
    ['create', '--bundle', '/x', 'c1'],
    ['state', 'c1'],
    ['kill', 'c1', 'TERM'],
    ['kill', 'c1', '0'],
    ['kill', 'c1'],
    ['start'],
    ['start', 'none'],
  ])('leaves all else to runc: %s', async (...words) => {
    await container();
    expect(await ask(...words)).toBe(words.join(' '));
  });
});
