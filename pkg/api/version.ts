/** The Kubernetes release whose API is served: the gitVersion of /version and of nodes. */
export const KUBERNETES_VERSION = 'v1.36.0';
