/**
 * Ingress: HTTP, HTTPS, WebSocket and gRPC from outside the cluster to the endpoints of Services, by the rules and the common
 * nginx annotations of Ingresses, on every node. It balances by itself and does not go through the service proxy. The part
 * that an ingress controller (ingress-nginx, Traefik) has upstream.
 */
export { createIngress, type IngressDeps, type IngressOptions, type PortOption } from './ingress.ts';
export { createIngressStatus, type IngressStatusDeps } from './ingress-status.ts';
