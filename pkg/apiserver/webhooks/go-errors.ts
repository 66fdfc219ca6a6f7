import { errnoCode } from '../../base/errors.ts';
import { certificateErrorText } from '../trust/index.ts';

/** What Go's client says of a connection that failed; `address` is `host:port`. */
export function connectionErrorText(error: unknown, address: string): string {
  const code = errnoCode(error) ?? '';
  const host = address.slice(0, address.lastIndexOf(':'));
  const certificate = certificateErrorText(code, host);
  if (certificate !== undefined) return certificate;
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `dial tcp ${address}: i/o timeout`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`;
    case 'ECONNRESET':
      return `read tcp ${address}: connection reset by peer`;
    case 'UND_ERR_SOCKET':
      return 'EOF';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  413: 'Request entity too large',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** What client-go says of an answer that is no success. `text`: the body, undefined when it is no text. */
export function statusErrorText(code: number, text: string | undefined): string {
  const known = STATUS_TEXTS[code];
  if (known !== undefined) return known;
  const shown = text === undefined ? 'unknown' : text.trim();
  if (code === 403) return `the server does not allow access to the requested resource: ${shown}`;
  if (code >= 500) return `an error on the server (${JSON.stringify(shown)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}
