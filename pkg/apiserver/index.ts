/**
 * The API server: one request pipeline with two front doors (HTTPS and in-process), the generic registry over the store, the
 * watch cache, discovery, and the subresources. It owns what is stored and who sees it; it does not act on objects (that is
 * the controllers', above pkg/client) and knows no kind by itself (pkg/api does). Corresponds to upstream's kube-apiserver.
 */
export {
  type APIServer,
  type APIServerDeps,
  type APIServerOptions,
  createAPIServer,
  createWatchCache,
} from './api-server.ts';
export type * from './contract.ts';
export { Definitions } from './definitions.ts';
export type { HealthCheck } from './discovery/health.ts';
export type { OpenIDProvider } from './discovery/openid.ts';
export { StartHooks } from './discovery/start-hooks.ts';
export { FlowObjects } from './flowcontrol/index.ts';
export type { TLSMaterial } from './http/https-server.ts';
export { LocalRegistry, type LocalRegistryDeps } from './local-registry.ts';
export type { TokenRequests } from './subresources/index.ts';
export type { KubeletTLS } from './subresources/kubelet-agent.ts';
export { WatchCache } from './watchcache/watch-cache.ts';
