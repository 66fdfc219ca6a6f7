import type { Exec } from '../base/exec.ts';
import type { HostState } from './host-state.ts';
import type { Peer } from './peers.ts';

/** How packets get to the pods of other nodes. */
export interface PeerTransport {
  /** Bytes that it adds to each packet. */
  readonly overhead: number;
  /** The family between the nodes; absent: that of the packets. */
  readonly carrier?: 'IPv4' | 'IPv6';
  /** Makes the host's routes lead to exactly these peers. Throws, with the reason for people, when some cannot be reached so. */
  ensure(peers: readonly Peer[]): Promise<void>;
}

/** Plain routes by way of the other nodes, which must be in the same network segment. */
export class HostGateway implements PeerTransport {
  readonly overhead = 0;
  readonly #exec: Exec;
  readonly #state: HostState;

  constructor(exec: Exec, state: HostState) {
    this.#exec = exec;
    this.#state = state;
  }

  async ensure(peers: readonly Peer[]): Promise<void> {
    const wanted = peers.map(undoOf);
    for (const undo of this.#state.filter(isPeerRoute)) {
      if (wanted.some((entry) => entry.join(' ') === undo.join(' '))) continue;
      // It may be gone already: with its interface, or by someone's hand.
      await this.#exec.run('ip', undo);
      await this.#state.forget(undo);
    }
    const failed: string[] = [];
    for (const peer of peers) {
      const { podCIDR, nodeIP } = peer;
      await this.#state.note(undoOf(peer));
      const result = await this.#exec.run('ip', ['route', 'replace', podCIDR, 'via', nodeIP]);
      if (result.code !== 0) failed.push(`${nodeIP} (${result.stderr.trim()})`);
    }
    if (failed.length > 0)
      throw new Error(
        `the backend host-gw needs all nodes in one network segment, which it cannot route to: ${failed.join(', ')}`,
      );
  }
}

function undoOf({ podCIDR, nodeIP }: Peer): string[] {
  return ['route', 'del', podCIDR, 'via', nodeIP];
}

function isPeerRoute(undo: readonly string[]): boolean {
  return undo[0] === 'route' && undo[1] === 'del' && undo[3] === 'via';
}
