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
  /** Whether clients of this address may come in; absent: all may. */
  readonly admits?: (address: string) => boolean;
  readonly cors?: CORSSettings;
  readonly appRoot?: string;
  readonly redirect?: { readonly url: string; readonly code: number };
  readonly upstreamVhost?: string;
  readonly forwardedPrefix?: string;
  readonly affinity?: AffinitySettings;
  readonly canary?: CanarySettings;
  readonly serverAliases: readonly string[];
  /** Why nothing of the Ingress may be served: something that guards it is asked for and not supported. */
  readonly refusal?: string;
}

export const BACKEND_PROTOCOLS = ['HTTP', 'HTTPS', 'GRPC', 'GRPCS'] as const;
export type BackendProtocol = (typeof BACKEND_PROTOCOLS)[number];

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
}

export interface ParsedSettings {
  readonly settings: IngressSettings;
  /** One sentence for each annotation that is not understood or not supported. */
  readonly problems: readonly string[];
}
