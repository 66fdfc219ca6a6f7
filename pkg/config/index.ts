/**
 * The typed configuration of a process: the table of options, their values from file and flags, and what follows from them.
 * Owns no component's behaviour. Corresponds to upstream's component configs and k3s's config.yaml.
 */

export { type AgentConfig, agentConfig } from './agent-config.ts';
export { agentOptions } from './agent-options.ts';
export type { AuditConfig } from './audit-options.ts';
export {
  AUTHORIZATION_MODES,
  type AuthenticationOptions,
  type AuthorizationMode,
  type AuthorizationOptions,
  type AuthorizationWebhookFlags,
  type OIDCFlags,
  type TokenWebhookFlags,
} from './auth-options.ts';
export { nthAddress } from './cidr.ts';
export { type ClusterConfig, NETWORK_BACKENDS, type NetworkBackend, refuseOwnAddresses } from './cluster-config.ts';
export { type ConfigNode, parseConfigFile, readConfigFile } from './config-file.ts';
export { type HollowConfig, hollowConfig } from './hollow-config.ts';
export { type LoadInput, loadOptions, suggestion } from './load.ts';
export {
  DEFAULT_CONFIG_DIR,
  DEFAULT_DATA_DIR,
  type InstancePaths,
  instanceSuffix,
  type NodeConfig,
  type NodeManagers,
  type NodeReserves,
  nodeConfig,
} from './node-config.ts';
export { NODE_PARTS } from './node-options.ts';
export { ConfigError, type OptionSpec, type OptionValues, type PortRange } from './option.ts';
export { optionText } from './option-text.ts';
export type { RequestHeaderFlags } from './request-header-options.ts';
export { type ServerConfig, serverConfig } from './server-config.ts';
export { DISABLEABLE_PARTS, type DisableablePart, serverOptions } from './server-options.ts';
export { type StandaloneConfig, standaloneConfig } from './standalone-config.ts';
export { watchFile } from './watch-file.ts';
export { YAMLLines, YAMLProblem } from './yaml-lines.ts';
