/**
 * The store: an etcd-like MVCC key-value contract and its backends. Owns revisions, history, watches, expiry and
 * durability; knows nothing of objects, resources or HTTP (values are opaque bytes). The suite every backend passes is
 * in conformance/. Upstream: etcd's KV, Watch and Lease as kube-apiserver's storage layer uses them.
 */
export * from './contract.ts';
export { LevelStore, type LevelStoreDeps, type LevelStoreOptions } from './level/level-store.ts';
export { lockDirectory } from './level/lock-directory.ts';
export { MemoryStore, type MemoryStoreDeps } from './memory/memory-store.ts';
export { SealedStore, type Sealer } from './sealed-store.ts';
