import { agentOptions } from './agent-options.ts';
import { type NodeConfig, nodeConfig } from './node-config.ts';
import { NODE_PARTS } from './node-options.ts';
import { ConfigError, type OptionValues } from './option.ts';

export interface AgentConfig extends NodeConfig<(typeof NODE_PARTS)[number]> {
  /** `https://host:port`. */
  readonly server: string;
  /** Absent: the node has joined before. */
  readonly token: string | undefined;
  /** Lower-case hex of SHA-256 over the DER of the server CA's certificate. */
  readonly caHash: string | undefined;
}

/** Throws ConfigError. */
export function agentConfig(values: OptionValues, hostname: string): AgentConfig {
  const caHash = values['ca-hash'] as string | undefined;
  const hash = caHash === undefined ? undefined : /^(?:sha256:)?([0-9a-f]{64})$/.exec(caHash.toLowerCase())?.[1];
  if (caHash !== undefined && hash === undefined) throw new ConfigError(`--ca-hash: "${caHash}" is not sha256:HEX`);
  return {
    ...nodeConfig(values, hostname, NODE_PARTS, agentOptions),
    server: serverURL(values['join'] as string | undefined),
    token: values['token'] as string | undefined,
    caHash: hash,
  };
}

function serverURL(text: string | undefined): string {
  if (text === undefined || text === '') {
    throw new ConfigError("--join: name the cluster's server, like https://server:6443");
  }
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new ConfigError(`--join: "${text}" is not https://HOST:PORT`);
  }
  return url.port === '' ? `${url.origin}:443` : url.origin;
}
