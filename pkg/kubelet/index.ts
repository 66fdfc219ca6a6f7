/**
 * The node agent: runs the pods that are bound to its node on a CRI runtime and reports them and the node to the API server.
 * Does not make the pod network, route Services or run the container runtime. Corresponds to upstream's kubelet.
 */
export { evictionThresholds } from './eviction/settings.ts';
export { ThresholdError } from './eviction/thresholds.ts';
export { createKubelet } from './kubelet.ts';
export { removeDeadLinks } from './logs/log-links.ts';
export { type LogOptions, readLogs } from './logs/read-logs.ts';
export type { KubeletDeps, KubeletOptions } from './options.ts';
export type {
  Authenticator,
  Authorizer,
  KubeletAttributes,
  ServingCertificate,
  ServingCertificateSource,
} from './server/auth.ts';
export { delegatedAuthenticator, delegatedAuthorizer } from './server/delegated-auth.ts';
export { ObjectCache } from './sources/object-cache.ts';
export {
  type ManagersConfiguration,
  ManagersConfigurationError,
  managerSettings,
} from './topology/configuration.ts';
