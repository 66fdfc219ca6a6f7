import type { Exec } from '../base/exec.ts';
import type { Plan, UDPService } from './plan.ts';

type Frontend = UDPService['frontends'][number];

/**
 * Arguments of `conntrack` that end what it remembers wrongly about UDP Services: flows to backends that are gone, and
 * flows to where nobody answered until now, as the Service had no backends, or not that address or node port. TCP notices by
 * itself. Upstream: pkg/proxy/conntrack/cleanup.go.
 */
export function staleFlows(old: Plan | undefined, next: Plan | undefined): string[][] {
  const commands: string[][] = [];
  for (const [name, before] of old?.udp ?? []) {
    const after = next?.udp.get(name)?.endpoints ?? new Set<string>();
    for (const endpoint of before.endpoints) {
      if (after.has(endpoint)) continue;
      const [address = '', port = ''] = endpoint.split(' ');
      for (const frontend of before.frontends)
        commands.push(deletion(before, frontend, ['--reply-src', address, '--reply-port-src', port]));
    }
  }
  for (const [name, after] of next?.udp ?? []) {
    if (after.endpoints.size === 0) continue;
    const before = old?.udp.get(name);
    const answered = new Set(before === undefined || before.endpoints.size === 0 ? [] : before.frontends.map(textOf));
    for (const frontend of after.frontends)
      if (!answered.has(textOf(frontend))) commands.push(deletion(after, frontend, []));
  }
  return commands;
}

function textOf({ address = '', port }: Frontend): string {
  return `${address} ${port}`;
}

function deletion({ family }: UDPService, { address, port }: Frontend, more: readonly string[]): string[] {
  const to = address === undefined ? [] : ['--orig-dst', address];
  return ['-D', '-f', family, '-p', 'udp', ...to, '--orig-port-dst', String(port), ...more];
}

/** Runs them one after another. Exit code 1 means that there was no such flow; a missing `conntrack` ends it. */
export async function deleteFlows(
  commands: readonly (readonly string[])[],
  exec: Exec,
  signal: AbortSignal,
): Promise<void> {
  for (const args of commands) {
    if (signal.aborted) return;
    await exec.run('conntrack', args, { signal });
  }
}
