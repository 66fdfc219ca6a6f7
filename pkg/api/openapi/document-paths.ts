import { META } from './names.ts';
import { camel, capital, groupVersionID, tagOf, wordsOf } from './operation-names.ts';
import { type Operation, type PathItem, PRODUCES } from './operations.ts';

/** Documents that belong to no group, by their path without slashes around it. */
const PLAIN_DOCUMENTS: Readonly<Record<string, Pick<Operation, 'tag' | 'id' | 'answer' | 'consumes' | 'produces'>>> = {
  '.well-known/openid-configuration': {
    tag: 'WellKnown',
    id: 'getServiceAccountIssuerOpenIDConfiguration',
    consumes: [],
    produces: ['application/json'],
  },
  api: { tag: 'core', id: 'getCoreAPIVersions', answer: `${META}.APIVersions`, consumes: PRODUCES, produces: PRODUCES },
  apis: { tag: 'apis', id: 'getAPIVersions', answer: `${META}.APIGroupList`, consumes: PRODUCES, produces: PRODUCES },
  'openid/v1/jwks': {
    tag: 'openid',
    id: 'getServiceAccountIssuerOpenIDKeyset',
    consumes: [],
    produces: ['application/jwk-set+json'],
  },
  version: {
    tag: 'version',
    id: 'getCodeVersion',
    answer: 'io.k8s.apimachinery.pkg.version.Info',
    consumes: ['application/json'],
    produces: ['application/json'],
  },
};

export const PLAIN_PATHS: readonly string[] = Object.keys(PLAIN_DOCUMENTS);

/** What there is at a path without a group; undefined: nothing that documents tell of. */
export function plainPath(path: string): PathItem | undefined {
  const document = PLAIN_DOCUMENTS[path];
  return document && documentAt(`/${path}/`, document);
}

/** The document of a built-in group. */
export function groupPath(group: string): PathItem {
  const words = wordsOf(group);
  const id = `get${words.map(capital).join('')}APIGroup`;
  const types = { consumes: PRODUCES, produces: PRODUCES };
  return documentAt(`/apis/${group}/`, { tag: camel(words), id, answer: `${META}.APIGroup`, ...types });
}

/** The document of a version of a built-in group, which lists its resources. */
export function versionPath(type: { readonly group: string; readonly version: string }): PathItem {
  const root = type.group === '' ? `/api/${type.version}/` : `/apis/${type.group}/${type.version}/`;
  const id = `get${groupVersionID(type)}APIResources`;
  const types = { consumes: PRODUCES, produces: PRODUCES };
  return documentAt(root, { tag: tagOf(type), id, answer: `${META}.APIResourceList`, ...types });
}

function documentAt(
  path: string,
  document: Pick<Operation, 'tag' | 'id' | 'answer' | 'consumes' | 'produces'>,
): PathItem {
  return { path, parameters: [], operations: [{ method: 'get', query: [], codes: [200], ...document }] };
}
