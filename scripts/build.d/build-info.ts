import { execFileSync } from 'node:child_process';
import type { BuildInfo } from '../../pkg/api/version.ts';

/** Asks git about the sources; without git, or outside a checkout, they are an archive of the present time. */
export function readBuildInfo(root: string): BuildInfo {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const [commit = '', seconds = ''] = git('log', '-1', '--format=%H %ct').split(' ');
    const isClean = git('status', '--porcelain', '--untracked-files=no') === '';
    return { commit, treeState: isClean ? 'clean' : 'dirty', date: rfc3339(Number(seconds) * 1000) };
  } catch {
    return { commit: '0'.repeat(40), treeState: 'archive', date: rfc3339(Date.now()) };
  }
}

function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
