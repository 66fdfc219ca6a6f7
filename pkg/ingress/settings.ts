import type { RequestTemplate } from './request-template.ts';

/** What the annotations of an Ingress ask for; the names and defaults are those of ingress-nginx. */
export interface IngressSettings {
  readonly sslRedirect: boolean;
  readonly forceSSLRedirect: boolean;
  readonly backendProtocol: BackendProtocol;
  /** With `$1`, `$2`, ... of the path, which is a regular expression then. */
  readonly rewriteTarget?: string;
  readonly useRegex: boolean;
  /** 0: any size. */
  readonly bodyLimitBytes: number;
  readonly connectTimeoutMs: number;
  /** Between two reads of the answer. */
  readonly readTimeoutMs: number;
  /** Between two writes of the request. */
  readonly sendTimeoutMs: number;
  readonly retry: RetrySettings;
  /** Whether clients of this address may come in; absent: all may. */
  readonly admits?: (address: string) => boolean;
  readonly limits?: LimitSettings;
  readonly basicAuth?: BasicAuthSettings;
  readonly externalAuth?: ExternalAuthSettings;
  /** Who comes from an admitted address or has authenticated may come in; else both must be so. */
  readonly satisfyAny: boolean;
  readonly cors?: CORSSettings;
  readonly appRoot?: string;
  readonly redirect?: { readonly url: string; readonly code: number };
  readonly upstreamVhost?: string;
  readonly forwardedPrefix?: string;
  readonly affinity?: AffinitySettings;
  /** Requests with the same text go to the same endpoint. */
  readonly hashBy?: RequestTemplate;
  /** A Service of the same namespace that answers while that of the path has no endpoint. */
  readonly defaultBackend?: string;
  readonly canary?: CanarySettings;
  readonly accessLog: boolean;
  /** `www.HOST` leads to HOST, or the other way round. */
  readonly fromToWWW: boolean;
  readonly serverAliases: readonly string[];
  /** Why nothing of the Ingress may be served: something that guards it is asked for and not supported. */
  readonly refusal?: string;
}

export const BACKEND_PROTOCOLS = ['HTTP', 'HTTPS', 'GRPC', 'GRPCS'] as const;
export type BackendProtocol = (typeof BACKEND_PROTOCOLS)[number];

/** When another endpoint is asked, after the first has failed. */
export interface RetrySettings {
  /** It cannot be reached, or breaks off before it answers. */
  readonly onError: boolean;
  readonly onTimeout: boolean;
  /** Of answers that are not passed on while there is somebody else to ask. */
  readonly onStatus: ReadonlySet<number>;
  /** Also what may not be done twice, POST above all. */
  readonly nonIdempotent: boolean;
  /** Endpoints that are asked at the most. */
  readonly tries: number;
  /** How long others are asked; 0: always. */
  readonly withinMs: number;
}

/** Of one client address. */
export interface LimitSettings {
  /** Requests at the same time. */
  readonly concurrent?: number;
  /** Requests in a second and in a minute, and how many more may come at once. */
  readonly perSecond?: number;
  readonly perMinute?: number;
  readonly burstFactor: number;
  /** Whether an address has no limits. */
  readonly exempts?: (address: string) => boolean;
}

export interface BasicAuthSettings {
  /** In the namespace of the Ingress. */
  readonly secret: string;
  /** 'auth-file': the lines of a password file under `auth`. 'auth-map': a hash under each user's name. */
  readonly kind: 'auth-file' | 'auth-map';
  readonly realm: string;
}

/** Another server that says of each request whether it may come in. */
export interface ExternalAuthSettings {
  readonly url: RequestTemplate;
  readonly method: string;
  /** Where clients are sent that may not; their own URL is added under `signinParameter` unless it is there. */
  readonly signin?: RequestTemplate;
  readonly signinParameter: string;
  /** Headers of its answer that the backend gets, in lower case. */
  readonly responseHeaders: readonly string[];
  readonly requestRedirect?: RequestTemplate;
}

export interface CORSSettings {
  readonly origins: readonly string[];
  readonly methods: string;
  readonly headers: string;
  readonly exposedHeaders?: string;
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

export interface AffinitySettings {
  readonly cookie: string;
  readonly maxAgeSeconds?: number;
  readonly path?: string;
  readonly domain?: string;
  readonly sameSite?: string;
  readonly secure: boolean;
}

/** Who gets the canary: by header, then by cookie, then by weight. */
export interface CanarySettings {
  readonly header?: string;
  readonly headerValue?: string;
  /** A regular expression; `headerValue` wins. */
  readonly headerPattern?: string;
  readonly cookie?: string;
  readonly weight: number;
  readonly weightTotal: number;
  /** Clients whose cookie names an endpoint of the canary, or of the other, stay there. */
  readonly sticky: boolean;
}

export interface ParsedSettings {
  readonly settings: IngressSettings;
  /** One sentence for each annotation that is not understood or not supported. */
  readonly problems: readonly string[];
}
