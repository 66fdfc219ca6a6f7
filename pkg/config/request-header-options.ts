import { ConfigError, type OptionSpec } from './option.ts';
import type { ServerOptionName } from './server-options.ts';

/** Whom an authenticating proxy may name, and how: upstream's flags under their names. */
export const requestHeaderOptions = [
  {
    name: 'requestheader-client-ca-file',
    type: 'path',
    description: "certificate authorities of proxies that name users by request headers, PEM, besides the server's own",
  },
  {
    name: 'requestheader-allowed-names',
    type: 'list',
    default: [],
    description: 'common names that the certificates of these proxies may have (default: any)',
  },
  {
    name: 'requestheader-username-headers',
    type: 'list',
    default: ['X-Remote-User'],
    description: 'request headers that name the user; the first that is there counts',
  },
  {
    name: 'requestheader-uid-headers',
    type: 'list',
    default: ['X-Remote-Uid'],
    description: "request headers with the user's UID; the first that is there counts",
  },
  {
    name: 'requestheader-group-headers',
    type: 'list',
    default: ['X-Remote-Group'],
    description: "request headers with the user's groups",
  },
  {
    name: 'requestheader-extra-headers-prefix',
    type: 'list',
    default: ['X-Remote-Extra-'],
    description: 'what the names of request headers with further facts about the user begin with',
  },
] as const satisfies readonly OptionSpec[];

export interface RequestHeaderFlags {
  readonly caFile: string | undefined;
  /** Empty: any. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

/** A field name of RFC 9110. */
const HEADER = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

/** Throws ConfigError for what is no header, and for names of nobody. */
export function requestHeaderFlags(get: <T>(name: ServerOptionName) => T): RequestHeaderFlags {
  const headers = (name: ServerOptionName, least: number): readonly string[] => {
    const values = get<readonly string[]>(name);
    const wrong = values.find((value) => !HEADER.test(value));
    if (wrong !== undefined) throw new ConfigError(`--${name}: ${JSON.stringify(wrong)} is no name of a header`);
    if (values.length < least) throw new ConfigError(`--${name}: is empty`);
    return values;
  };
  const caFile = get<string | undefined>('requestheader-client-ca-file');
  const allowedNames = get<readonly string[]>('requestheader-allowed-names');
  if (caFile === undefined && allowedNames.length > 0)
    throw new ConfigError('--requestheader-allowed-names: needs --requestheader-client-ca-file');
  return {
    caFile,
    allowedNames,
    usernameHeaders: headers('requestheader-username-headers', 1),
    uidHeaders: headers('requestheader-uid-headers', 0),
    groupHeaders: headers('requestheader-group-headers', 0),
    extraPrefixes: headers('requestheader-extra-headers-prefix', 0),
  };
}
