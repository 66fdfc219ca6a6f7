import type { KubeletAttributes } from './auth.ts';

/** What is wrong with a request, with the HTTP status that says so. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RequestError';
    this.status = status;
  }
}

const VERBS: Readonly<Record<string, KubeletAttributes['verb']>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** What the caller must be allowed to do for this request (upstream's node authorizer attributes). */
export function requestAttributes(method: string, path: string): KubeletAttributes {
  const verb = VERBS[method] ?? 'get';
  const first = path.split('/')[1] ?? '';
  switch (first) {
    case 'stats':
    case 'metrics':
    case 'checkpoint':
    case 'statusz':
      return { verb, subresources: [first] };
    case 'logs':
      return { verb, subresources: ['log'] };
    case 'flagz':
      return { verb, subresources: ['configz'] };
    case 'runningpods':
      return { verb, subresources: ['pods', 'proxy'] };
    case 'pods':
    case 'configz':
    case 'healthz':
      return { verb, subresources: [first, 'proxy'] };
    default:
      return { verb, subresources: ['proxy'] };
  }
}

const ANY_METHOD = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** By the first part of the path; of all others one can only get. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  healthz: ANY_METHOD,
  statusz: ANY_METHOD,
  flagz: ANY_METHOD,
  checkpoint: ['POST'],
  run: ['POST'],
  exec: ['GET', 'POST'],
  attach: ['GET', 'POST'],
  portForward: ['GET', 'POST'],
  localVolumes: ['DELETE'],
};

/** `first`: of the path. Throws a RequestError. */
export function checkMethod(first: string, method = ''): void {
  const allowed = METHODS[first] ?? ['GET', 'HEAD'];
  if (!allowed.includes(method)) throw new RequestError(405, 'Method Not Allowed');
}

export interface ContainerPath {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string | undefined;
  readonly container: string;
}

/** `NAMESPACE/POD[/UID]/CONTAINER`, each part URL-encoded. */
export function containerPath(parts: readonly string[]): ContainerPath {
  const [namespace = '', pod = '', ...rest] = parts.map(decodePart);
  const container = rest.at(-1);
  if (namespace === '' || pod === '' || container === undefined || rest.length > 2) {
    throw new RequestError(400, 'the path must be /NAMESPACE/POD/CONTAINER');
  }
  return { namespace, pod, uid: rest.length === 2 ? rest[0] : undefined, container };
}

/** A part of a path as it was meant. Throws a RequestError. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new RequestError(400, 'the path is badly escaped', { cause });
  }
}

/** `1` and `true` are true; the streaming endpoints know each flag by two names. */
export function flag(query: URLSearchParams, ...names: readonly string[]): boolean {
  return names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''));
}

/** A whole number that is not negative; absent when the parameter is. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw new RequestError(400, `query parameter ${name} must be a whole number`);
  return Number(text);
}
