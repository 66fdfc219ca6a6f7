import type { ResourceDefinition } from '../../pkg/api/definition.ts';
import { builtinDefinitions } from '../../pkg/api/scheme.ts';
import { encoded, hugeRequest, maybeMutated, plausibleObject } from './bodies.ts';
import { loadCorpus, type Specimen } from './corpus.ts';
import { CUSTOM_GROUP, customDefinition, customObject, customPlural } from './custom-resources.ts';
import { hostileHeaders } from './headers.ts';
import { HOSTILE_KEYS, hostileValue } from './hostile.ts';
import { mutate } from './mutate.ts';
import { hostilePatch } from './patches.ts';
import { collectionPath, isFarReaching, NAMESPACES, namespaceFor, objectName, objectPath } from './places.ts';
import { queryString } from './queries.ts';
import { Random } from './random.ts';
import { type FuzzRequest, jsonRequest, wirePath } from './request.ts';
import { fromJSON, Members, members, render } from './value.ts';

const SYSTEM_NAMESPACE = /\/namespaces\/(?:kube-|default)/;

/** Makes the n-th request of a seed, whatever came before it. */
export class Generator {
  readonly #seed: number;
  readonly #definitions: readonly ResourceDefinition[];
  readonly #corpus: readonly Specimen[];

  constructor(seed: number) {
    this.#seed = seed;
    this.#definitions = builtinDefinitions();
    this.#corpus = loadCorpus(NAMESPACES[0]);
  }

  request(index: number): FuzzRequest {
    const random = new Random(this.#seed, index);
    const request = random.weighted<() => FuzzRequest>([
      [25, () => this.#recorded(random)],
      [18, () => this.#object(random)],
      [18, () => this.#patch(random)],
      [14, () => this.#read(random)],
      [6, () => this.#path(random)],
      [4, () => this.#remove(random)],
      [3, () => definition(random)],
      [7, () => custom(random)],
      [4, () => this.#subresource(random)],
      [0.3, () => hugeRequest(`/api/v1/namespaces/${NAMESPACES[0]}/configmaps`, random)],
    ])();
    const safe = harmless(request, random);
    return random.chance(0.12) ? { ...safe, headers: { ...safe.headers, ...hostileHeaders(random) } } : safe;
  }

  #recorded(random: Random): FuzzRequest {
    const { method, path, headers, body } = random.pick(this.#corpus);
    const text =
      typeof body === 'string' ? body : render(body === undefined ? null : maybeMutated(fromJSON(body), random, 0.8));
    const query = random.chance(0.15) ? queryString(random, [], 2).replace('?', path.includes('?') ? '&' : '?') : '';
    return {
      area: 'recorded',
      method,
      path: wirePath(path + query),
      headers: { 'Content-Type': 'application/json', ...clean(headers) },
      ...(body === undefined ? {} : { body: Buffer.from(text) }),
    };
  }

  #object(random: Random): FuzzRequest {
    const { definition, name, namespace } = this.#place(random);
    const object = plausibleObject(definition, name, random);
    const { body, type } = encoded(definition, maybeMutated(object, random, 0.5), random);
    const isUpdate = random.chance(0.3);
    const path = isUpdate ? objectPath(definition, namespace, name) : collectionPath(definition, namespace);
    const query = random.chance(0.25) ? queryString(random, random.chance(0.5) ? ['fieldValidation'] : [], 2) : '';
    return {
      area: 'object',
      method: isUpdate ? 'PUT' : 'POST',
      path: wirePath(path + query),
      headers: { 'Content-Type': type },
      body,
    };
  }

  #patch(random: Random): FuzzRequest {
    const { definition, name, namespace } = this.#place(random);
    const { type, body } = hostilePatch(plausibleObject(definition, name, random), random);
    const wanted = type.includes('apply') ? ['fieldManager', ...(random.chance(0.5) ? ['force'] : [])] : [];
    const suffix = random.chance(0.15)
      ? `/${random.pick(['status', 'scale', 'finalize', 'ephemeralcontainers', 'resize', 'approval', '__proto__'])}`
      : '';
    const path = objectPath(definition, namespace, name) + suffix + queryString(random, wanted, 1);
    return { area: 'patch', method: 'PATCH', path: wirePath(path), headers: { 'Content-Type': type }, body };
  }

  #read(random: Random): FuzzRequest {
    const { definition, name, namespace } = this.#place(random);
    const path = random.weighted<() => string>([
      [4, () => collectionPath(definition, namespace)],
      [2, () => objectPath(definition, namespace, name)],
      [2, () => collectionPath(definition, namespace).replace(/\/namespaces\/[^/]+/, '')],
      [1, () => collectionPath(definition, namespace).replace(/^\/(api|apis\/[^/]+)\/[^/]+/, '$&/watch')],
      [1, () => `/apis/${CUSTOM_GROUP}/v1/${customPlural(random)}`],
      [
        1,
        () =>
          random.pick([
            '/openapi/v2',
            '/openapi/v3',
            '/api',
            '/apis',
            '/version',
            '/metrics',
            '/readyz',
            '/.well-known/openid-configuration',
            '/openid/v1/jwks',
          ]),
      ],
    ])();
    const accept = random.chance(0.4) ? (hostileHeaders(random)['Accept'] ?? 'application/json') : 'application/json';
    const headers = { Accept: accept };
    return {
      area: 'read',
      method: random.chance(0.95) ? 'GET' : 'HEAD',
      path: wirePath(path + queryString(random)),
      headers,
    };
  }

  #path(random: Random): FuzzRequest {
    const segment = (): string =>
      random.pick([
        'api',
        'apis',
        'v1',
        'apps',
        'namespaces',
        'fuzz-a',
        'pods',
        'configmaps',
        'fz-0',
        'status',
        'log',
        'proxy',
        'watch',
        'exec',
        'openapi',
        'v3',
        '',
        '.',
        '..',
        '%2e%2e',
        '%2f',
        '%00',
        '%',
        '%zz',
        '%ff',
        '*',
        ...HOSTILE_KEYS,
      ]);
    const count = random.chance(0.02) ? 800 : 1 + random.int(9);
    const path = `/${random.pick(['', 'api/v1/', 'apis/', 'apis/apps/v1/', 'openapi/v3/apis/', '/'])}${Array.from({ length: count }, segment).join('/')}`;
    const method = random.pick([
      'GET',
      'GET',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'HEAD',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
      'QUERY',
    ]);
    const body = ['POST', 'PUT', 'PATCH'].includes(method) ? Buffer.from(render(hostileValue(random))) : undefined;
    return {
      area: 'path',
      method,
      path: wirePath(path + queryString(random, [], 2)),
      headers: { 'Content-Type': 'application/json' },
      body,
    };
  }

  #remove(random: Random): FuzzRequest {
    const { definition, name, namespace } = this.#place(random);
    const isCollection = random.chance(0.15);
    const path = isCollection ? collectionPath(definition, namespace) : objectPath(definition, namespace, name);
    const query = queryString(random, [], 2);
    if (random.chance(0.5)) return { area: 'delete', method: 'DELETE', path: wirePath(path + query), headers: {} };
    const options = members({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      propagationPolicy: 'Background',
      preconditions: { uid: 'x' },
    });
    return jsonRequest('delete', 'DELETE', wirePath(path + query), mutate(options, random));
  }

  #subresource(random: Random): FuzzRequest {
    const withSubresources = this.#definitions.filter(({ subresources }) => subresources.length > 0);
    const definition = random.pick(withSubresources);
    const subresource = random.pick(definition.subresources);
    const path = objectPath(definition, random.pick(NAMESPACES), objectName(random));
    const verb = random.pick(subresource.verbs);
    const method =
      ({ get: 'GET', update: 'PUT', patch: 'PATCH', create: 'POST', delete: 'DELETE' } as Record<string, string>)[
        verb
      ] ?? 'GET';
    const apiVersion = [subresource.group, subresource.version].filter(Boolean).join('/') || 'v1';
    const body = members({
      apiVersion,
      kind: subresource.kind,
      metadata: { name: 'fz-0' },
      spec: { replicas: 2, audiences: ['a'] },
      target: { name: 'x' },
    });
    const url = wirePath(
      `${path}/${subresource.name}${queryString(random, subresource.connect === true ? ['path', 'command'] : [], 2)}`,
    );
    if (method === 'GET') return { area: 'subresource', method, path: url, headers: {} };
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return jsonRequest('subresource', method, url, maybeMutated(body, random, 0.6), type);
  }

  #place(random: Random): { definition: ResourceDefinition; name: string; namespace: string } {
    const definition = random.pick(this.#definitions);
    return { definition, name: objectName(random), namespace: namespaceFor(definition.type.kind, random) };
  }
}

function definition(random: Random): FuzzRequest {
  const plural = customPlural(random);
  const object = maybeMutated(customDefinition(plural, random), random, 0.2);
  const root = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const name = `${root}/${plural}.${CUSTOM_GROUP}`;
  if (random.chance(0.15)) return { area: 'crd', method: 'DELETE', path: name, headers: {} };
  if (random.chance(0.4))
    return jsonRequest('crd', 'PATCH', `${name}?fieldManager=fz&force=true`, object, 'application/apply-patch+yaml');
  return jsonRequest('crd', 'POST', root, object);
}

function custom(random: Random): FuzzRequest {
  const plural = customPlural(random);
  const name = objectName(random);
  const collection = `/apis/${CUSTOM_GROUP}/v1/namespaces/${random.pick(NAMESPACES)}/${plural}`;
  const object = maybeMutated(customObject(plural, name, random), random, 0.3);
  const path = wirePath(
    `${collection}/${encodeURIComponent(name.toWellFormed())}${random.chance(0.2) ? random.pick(['/status', '/scale']) : ''}`,
  );
  if (random.chance(0.45)) return jsonRequest('custom', 'POST', collection, object);
  if (random.chance(0.5)) return jsonRequest('custom', 'PUT', path, object);
  const { type, body } = hostilePatch(object instanceof Members ? object : customObject(plural, name, random), random);
  return { area: 'custom', method: 'PATCH', path: `${path}?fieldManager=fz`, headers: { 'Content-Type': type }, body };
}

/** Keeps the fuzzer from sawing off the branch it sits on: what reaches far is a dry run, what the system needs stays. */
function harmless(request: FuzzRequest, random: Random): FuzzRequest {
  const { method, path, area } = request;
  if (method === 'GET' || method === 'HEAD' || area === 'crd') return request;
  const text = request.body?.toString('latin1') ?? '';
  const kind = /(?:webhookconfigurations|admissionpolic|apiservices|flowschemas|prioritylevel|customresourcedef)/.test(
    path,
  );
  const namespace =
    SYSTEM_NAMESPACE.test(path) || /\/namespaces\/fuzz-[a-z]+(?:\/finalize|\/status)?(?:$|\?)/.test(path);
  const limits = /namespaces\/fuzz-[ab]\/(?:resourcequotas|limitranges)/.test(path);
  if (!kind && !namespace && !limits && !isFarReaching(/"kind":"(\w+)"/.exec(text)?.[1] ?? '')) return request;
  if (method === 'DELETE' && (namespace || random.chance(0.5))) return { ...request, method: 'GET', body: undefined };
  return {
    ...request,
    path: `${path.replaceAll(/([?&])dryRun=[^&]*/g, '$1x=1')}${path.includes('?') ? '&' : '?'}dryRun=All`,
  };
}

function clean(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replaceAll(/[^\t\x20-\x7e]/g, '')]),
  );
}
