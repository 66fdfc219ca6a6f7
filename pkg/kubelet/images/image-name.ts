/** A reference that cannot be parsed. */
export class ImageNameError extends Error {
  override readonly name = 'ImageNameError';
}

export interface ImageName {
  /** As given, with `:latest` where neither tag nor digest is given. */
  readonly reference: string;
  /** The registry's host, `docker.io` when none is named. */
  readonly registry: string;
  /** The repository inside the registry, `library/` added for the short names. */
  readonly repository: string;
}

const DOMAIN =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Splits an image name by the rules of the distribution reference grammar. Throws an ImageNameError. */
export function parseImageName(image: string): ImageName {
  const at = image.indexOf('@');
  const digest = at < 0 ? undefined : image.slice(at + 1);
  let rest = at < 0 ? image : image.slice(0, at);
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
  }
  const parts = rest.split('/');
  const first = parts[0] ?? '';
  const hasDomain = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const path = hasDomain ? parts.slice(1) : parts;
  if (!path.every((part) => COMPONENT.test(part))) {
    const lower = path.every((part) => COMPONENT.test(part.toLowerCase()));
    throw invalid(image, lower || /[A-Z]/.test(rest) ? ': repository name must be lowercase' : '');
  }
  if ((hasDomain && !DOMAIN.test(first)) || (tag !== undefined && !TAG.test(tag))) throw invalid(image, '');
  if (digest !== undefined && !DIGEST.test(digest)) throw invalid(image, '');
  const registry = hasDomain ? first : 'docker.io';
  return {
    reference: tag === undefined && digest === undefined ? `${image}:latest` : image,
    registry,
    repository: !hasDomain && path.length === 1 ? `library/${path[0]}` : path.join('/'),
  };
}

/** The name as runtimes list it: registry, repository and either digest or tag. */
export function fullImageName({ reference, registry, repository }: ImageName): string {
  const last = reference.slice(reference.lastIndexOf('/') + 1);
  const at = last.indexOf('@');
  return `${registry}/${repository}${last.slice(at >= 0 ? at : last.indexOf(':'))}`;
}

function invalid(image: string, why: string): ImageNameError {
  return new ImageNameError(`couldn't parse image name "${image}": invalid reference format${why}`);
}
