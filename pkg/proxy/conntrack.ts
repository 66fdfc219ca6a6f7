import type { Exec } from '../base/exec.ts';
import type { Plan, UDPService } from './plan.ts';

/**
 * Arguments of `conntrack` that end what it remembers wrongly about UDP Services: flows to backends that are gone, and
 * flows of Services that had no backend until now. TCP notices by itself.
 */
export function staleFlows(old: Plan | undefined, next: Plan | undefined): string[][] {
  const commands: string[][] = [];
  for (const [name, before] of old?.udp ?? []) {
    const after = next?.udp.get(name)?.endpoints ?? new Set<string>();
    for (const endpoint of before.endpoints)
      if (!after.has(endpoint)) commands.push(...deletions(before, ['--dst-nat', endpoint]));
  }
  for (const [name, after] of next?.udp ?? []) {
    const before = old?.udp.get(name);
    if (after.endpoints.size > 0 && (before === undefined || before.endpoints.size === 0))
      commands.push(...deletions(after, []));
  }
  return commands;
}

function deletions(service: UDPService, more: readonly string[]): string[][] {
  return service.frontends.map(({ address, port }) => {
    const to = address === undefined ? [] : ['--orig-dst', address];
    return ['-D', '-f', service.family, '-p', 'udp', ...to, '--orig-port-dst', String(port), ...more];
  });
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
