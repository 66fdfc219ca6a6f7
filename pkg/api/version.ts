/** The Kubernetes release whose API is served: the gitVersion of /version and of nodes. */
export const KUBERNETES_VERSION = 'v1.36.0';

/** The version of the API, `1.36`. */
export const API_VERSION = KUBERNETES_VERSION.slice(1).split('.', 2).join('.');

/** What an executable is made of. */
export interface BuildInfo {
  /** The commit's SHA-1, in hex; zeros where the sources are no checkout. */
  readonly commit: string;
  /** `clean`, `dirty` (a checkout with changes) or `archive` (no checkout). */
  readonly treeState: 'clean' | 'dirty' | 'archive';
  /** RFC 3339: of the commit, so that one commit always makes the same executable. */
  readonly date: string;
}

/** Put in by scripts/build; not defined where the sources run as they are. */
declare const KUBE_LITE_BUILD: BuildInfo | undefined;

export const buildInfo: BuildInfo =
  typeof KUBE_LITE_BUILD === 'undefined'
    ? { commit: '0'.repeat(40), treeState: 'archive', date: '1970-01-01T00:00:00Z' }
    : KUBE_LITE_BUILD;
