import { agentOptions } from './agent-options.ts';
import { type NodeConfig, nodeConfig } from './node-config.ts';
import { NODE_PARTS } from './node-options.ts';
import { ConfigError, type OptionValues } from './option.ts';

/** A machine that runs pods without a cluster. */
export interface StandaloneConfig extends NodeConfig<(typeof NODE_PARTS)[number]> {
  readonly podCIDRs: readonly string[];
}

/** What only nodes of a cluster have a use for. */
const REFUSED = ['join', 'token', 'ca-hash', 'hollow', 'kubeconfig'] as const;

/** Undefined without --standalone. Throws ConfigError. */
export function standaloneConfig(values: OptionValues, hostname: string): StandaloneConfig | undefined {
  if (values['standalone'] !== true) return undefined;
  for (const name of REFUSED) {
    if (values[name] !== undefined)
      throw new ConfigError(`--${name}: a standalone agent has no use for it; leave it out`);
  }
  const podCIDRs = values['pod-cidr'] as readonly string[];
  if (podCIDRs.length === 0) throw new ConfigError('--pod-cidr: name a network like 10.46.0.0/24');
  return { ...nodeConfig(values, hostname, NODE_PARTS, agentOptions), podCIDRs };
}
