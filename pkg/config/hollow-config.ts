import { agentOptions } from './agent-options.ts';
import { type NodeConfig, nodeConfig } from './node-config.ts';
import { NODE_PARTS } from './node-options.ts';
import { ConfigError, type OptionValues } from './option.ts';

/** Nodes that only pretend to run their pods; `nodeName` is the beginning of their names. */
export interface HollowConfig extends NodeConfig<(typeof NODE_PARTS)[number]> {
  readonly count: number;
  /** Path of an administrator's kubeconfig: the nodes share its identity. */
  readonly kubeconfig: string;
}

/** A node's network has room for many more, but the pods of hollow nodes live in one process. */
const MAX_COUNT = 5_000;
/** What makes no sense for nodes that join nothing and run nothing. */
const REFUSED = ['join', 'token', 'ca-hash', 'container-runtime-endpoint'] as const;

/** Undefined without --hollow. Throws ConfigError. */
export function hollowConfig(values: OptionValues, hostname: string): HollowConfig | undefined {
  const count = values['hollow'] as number | undefined;
  const kubeconfig = values['kubeconfig'] as string | undefined;
  if (count === undefined) {
    if (kubeconfig !== undefined)
      throw new ConfigError('--kubeconfig: only hollow nodes use it; agents join by --join');
    return undefined;
  }
  if (count < 1 || count > MAX_COUNT) throw new ConfigError(`--hollow: ${count} is not between 1 and ${MAX_COUNT}`);
  if (kubeconfig === undefined) throw new ConfigError("--hollow: name an administrator's kubeconfig with --kubeconfig");
  for (const name of REFUSED) {
    if (values[name] !== undefined) throw new ConfigError(`--${name}: hollow nodes have no use for it; leave it out`);
  }
  const config = nodeConfig(values, hostname, NODE_PARTS, agentOptions);
  if (config.disabled.size > 0) throw new ConfigError('--disable: hollow nodes have nothing but their kubelets');
  return { ...config, count, kubeconfig };
}
