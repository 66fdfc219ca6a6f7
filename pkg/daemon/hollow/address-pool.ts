import { nthAddress } from '../../config/index.ts';
import type { SandboxAddresses } from '../../cri/index.ts';

/** The network's own address and its gateway are no pod's. */
const FIRST = 2;

/** Addresses of pods out of the pod networks of their node, one a family; the lowest that is free. */
export class AddressPool implements SandboxAddresses {
  readonly #podCIDRs: () => readonly string[];
  /** Numbers in the networks, by the address of the first. */
  readonly #numbers = new Map<string, number>();

  /** `podCIDRs`: asked at each call; the node gets them after it has registered. */
  constructor(podCIDRs: () => readonly string[]) {
    this.#podCIDRs = podCIDRs;
  }

  /** Throws while the node has no network, and when all addresses are in use. */
  take(): readonly string[] {
    const cidrs = this.#podCIDRs();
    if (cidrs.length === 0) throw new Error('the node has no pod network yet');
    const used = new Set(this.#numbers.values());
    let n = FIRST;
    while (used.has(n)) n++;
    if (n >= Math.min(...cidrs.map(size)) - 1) throw new Error(`no address is left in ${cidrs.join(', ')}`);
    const addresses = cidrs.map((cidr) => nthAddress(cidr, n));
    this.#numbers.set(addresses[0] ?? '', n);
    return addresses;
  }

  release(addresses: readonly string[]): void {
    this.#numbers.delete(addresses[0] ?? '');
  }
}

function size(cidr: string): number {
  const prefix = Number(cidr.split('/')[1]);
  return 2 ** ((cidr.includes(':') ? 128 : 32) - prefix);
}
