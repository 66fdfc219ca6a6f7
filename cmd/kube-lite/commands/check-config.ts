import { Command } from 'commander';
import { systemExec } from '../../../pkg/base/exec.ts';
import { checkHost } from '../../../pkg/daemon/host-check.ts';

const LABELS = { ok: 'ok     ', warning: 'warning', missing: 'missing' } as const;

export function checkConfigCommand(setExitCode: (code: number) => void): Command {
  return new Command('check-config')
    .description('say what this machine lacks to run kube-lite, and how to get it')
    .action(async () => {
      const checks = await checkHost({
        exec: systemExec,
        path: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        root: '/',
      });
      for (const check of checks) console.log(`${LABELS[check.level]}  ${check.name}: ${check.detail}`);
      if (checks.some((check) => check.level === 'missing')) setExitCode(1);
    });
}
