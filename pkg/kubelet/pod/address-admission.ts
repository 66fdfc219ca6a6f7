import { podSubject } from '../container/container-events.ts';
import type { KubeletContext } from '../context.ts';
import type { RuntimeSandbox } from '../runtime/pod-runtime.ts';
import type { Pod } from '../types.ts';

/** How long a pod's start waits for the rules, in one attempt. */
const LIMIT_MS = 10_000;

/** Keeps a pod's containers from starting before the rules for its addresses are in force. Asks once for each sandbox. */
export class AddressAdmission {
  readonly #context: KubeletContext;
  #admitted = '';

  constructor(context: KubeletContext) {
    this.#context = context;
  }

  /** False: not in force yet, with an event that says so; to be tried again. */
  async admit(pod: Pod, sandbox: RuntimeSandbox | undefined, signal: AbortSignal): Promise<boolean> {
    const { recorder, admitAddresses } = this.#context.deps;
    if (admitAddresses === undefined || sandbox === undefined || sandbox.ips.length === 0) return true;
    if (this.#admitted === sandbox.id) return true;
    try {
      await admitAddresses(pod, sandbox.ips, AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]));
      this.#admitted = sandbox.id;
      return true;
    } catch {
      signal.throwIfAborted();
      const message = `The rules for the pod's addresses are not in force after ${LIMIT_MS / 1000} s`;
      recorder.event(podSubject(pod), 'Warning', 'NetworkNotReady', message);
      return false;
    }
  }
}
