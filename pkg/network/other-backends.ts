import type { NetworkBackend } from '../config/index.ts';
import type { HostSetupDeps } from './host-setup.ts';

/** Takes back what another backend has made, from before that of the cluster was changed. */
export async function removeOtherBackends(
  backend: NetworkBackend,
  { exec, state }: Pick<HostSetupDeps, 'exec' | 'state'>,
): Promise<void> {
  const isOther = (undo: readonly string[]): boolean => ![undefined, backend].includes(backendOf(undo));
  for (const undo of state.filter(isOther)) {
    // It may be gone already.
    await exec.run('ip', undo);
    await state.forget(undo);
  }
}

function backendOf(undo: readonly string[]): NetworkBackend | undefined {
  if (undo[0] === 'link' || undo[1] === 'rule') return 'vxlan';
  return undo[0] === 'route' && undo[3] === 'via' ? 'host-gw' : undefined;
}
