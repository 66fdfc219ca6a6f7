const domainComponent =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?$/;
const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const maxNameLength = 255;
/** What would be taken for the digest of an image. */
const digest = /^[a-f0-9]{64}$/;
const tagSyntax = /^\w[\w.-]{0,127}$/;

/**
 * The pull policy of a container whose author named none: Always for the tag `latest` (also when neither tag nor digest
 * is given), IfNotPresent for everything else, references that do not parse included.
 */
export function defaultPullPolicy(image: string | undefined): 'Always' | 'IfNotPresent' {
  if (image === undefined || image === '') return 'IfNotPresent';
  const at = image.indexOf('@');
  let rest = at < 0 ? image : image.slice(0, at);
  let tag = '';
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!tagSyntax.test(tag)) return 'IfNotPresent';
  }
  if (tag === '' && at < 0) tag = 'latest';
  return tag === 'latest' && isRepository(rest) ? 'Always' : 'IfNotPresent';
}

function isRepository(name: string): boolean {
  const parts = name.split('/');
  const first = parts[0] ?? '';
  const hasDomain = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (hasDomain && !domainComponent.test(first) && !first.startsWith('[')) return false;
  const path = hasDomain ? parts.slice(1) : parts;
  if (name.length > maxNameLength || (!hasDomain && digest.test(name))) return false;
  return path.length > 0 && path.every((part) => pathComponent.test(part));
}
