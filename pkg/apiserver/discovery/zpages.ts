import { flagzPage, type StatuszDeps, statuszPage, zPageAnswer } from '../../api/zpages.ts';
import type { PathHandler } from '../http/request-handler.ts';
import { headers, sendBytes } from '../http/response.ts';

export interface ZPagesDeps extends StatuszDeps {
  /** The settings of the server by name. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Upstream's /statusz and /flagz. */
export function zPagesHandler(deps: ZPagesDeps): PathHandler {
  const pages = new Map([statuszPage(deps), flagzPage(deps.flags)].map((page) => [`/${page.name}`, page]));
  return ({ context, request, response, head }) => {
    const page = pages.get(context.info.path);
    if (page === undefined) return false;
    const { contentType, text, warning } = zPageAnswer('apiserver', page, request.headers.accept, head.pretty);
    if (warning !== undefined) response.setHeader('Warning', warning);
    sendBytes(response, 200, headers(head, contentType), [Buffer.from(text)], head);
    return true;
  };
}
