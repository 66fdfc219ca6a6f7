/**
 * Whom the API server takes for whom when it calls other servers by TLS: webhooks, aggregated servers, token issuers, audit
 * sinks. What it asks them is not here; nor are kubelets, which show a certificate of the cluster's own authority, and clients
 * (../authentication). Corresponds to the rules of Go's crypto/tls client.
 */
export { VerifyingAgent } from './agent.ts';
export { certificateErrorText } from './certificate-errors.ts';
export { verifyingConnector } from './connector.ts';
export { type ServerTrust, trustOf } from './server-trust.ts';
