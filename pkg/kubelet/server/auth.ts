import type { IncomingMessage } from 'node:http';
import type { UserInfo } from '../../api/user.ts';

/** PEM texts. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
  /** Clients that present a certificate of one of these are asked for it. */
  readonly clientCA?: string;
}

/** A serving certificate that may be renewed while the server runs. */
export interface ServingCertificateSource {
  current(): ServingCertificate;
  /** Calls after each renewal; returns the removal. */
  onRenewed(listener: (certificate: ServingCertificate) => void): () => void;
}

/** Who sends a request; undefined: nobody that is known. */
export type Authenticator = (request: IncomingMessage) => Promise<UserInfo | undefined>;

/** What a request wants, as resource attributes of `nodes/NAME` (upstream's node authorizer attributes). */
export interface KubeletAttributes {
  readonly verb: 'get' | 'create' | 'update' | 'patch' | 'delete';
  readonly subresources: readonly (
    | 'proxy'
    | 'stats'
    | 'log'
    | 'metrics'
    | 'checkpoint'
    | 'statusz'
    | 'configz'
    | 'healthz'
    | 'pods'
  )[];
}

/** Whether the user may do it: any of the subresources suffices. */
export type Authorizer = (
  user: UserInfo,
  attributes: KubeletAttributes,
) => Promise<{ allowed: boolean; reason: string }>;
