// A webhook server for tests: admission and conversion, one behaviour a path. Runs in a pod with its certificate in /tls.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const allow = { allowed: true };
const deny = (message) => ({ allowed: false, status: { message } });
const patch = (...operations) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

/** Answers of admission by path. */
const admission = {
  '/always-allow': () => allow,
  '/always-deny': () => deny('this webhook denies all requests'),
  '/deny-data': ({ object }) =>
    object?.data?.['webhook-e2e-test'] === 'webhook-disallow'
      ? deny('the configmap contains unwanted key and value')
      : allow,
  '/deny-pods': ({ object }) =>
    object.metadata?.labels?.['webhook-e2e-test'] === 'disallow' ? deny('the pod contains unwanted label') : allow,
  '/deny-cr': ({ operation, object, oldObject }) =>
    (operation === 'DELETE' ? oldObject : object)?.data?.['webhook-e2e-test'] === 'webhook-disallow'
      ? deny('the custom resource contains unwanted data')
      : allow,
  '/deny-attach': ({ object, name }) =>
    object.kind === 'PodAttachOptions' && object.container !== 'allowed'
      ? deny(`attaching to pod '${name}' is not allowed`)
      : allow,
  '/mutate': ({ object }) => {
    const data = object.data ?? {};
    if (data['mutation-start'] === 'yes' && data['mutation-stage-1'] === undefined)
      return patch({ op: 'add', path: '/data/mutation-stage-1', value: 'yes' });
    if (data['mutation-stage-1'] === 'yes' && data['mutation-stage-2'] === undefined)
      return patch({ op: 'add', path: '/data/mutation-stage-2', value: 'yes' });
    return allow;
  },
  '/init-container': () =>
    patch({ op: 'add', path: '/spec/initContainers', value: [{ name: 'added', image: 'busybox:test' }] }),
  '/break-owners': () => patch({ op: 'replace', path: '/metadata/managedFields/0/operation', value: 'Guess' }),
  '/mark': () => patch({ op: 'add', path: '/data/marked', value: 'yes' }),
  '/label': () => patch({ op: 'add', path: '/metadata/labels', value: { added: 'yes' } }),
  '/lie': () => ({ ...allow, uid: 'wrong' }),
  '/bad-patch': () => patch({ op: 'remove', path: '/nothing/there' }),
  '/bad-type': () => ({ ...allow, patchType: 'Merge', patch: 'e30=' }),
};

/** Answers that are no reviews. */
const rude = {
  '/hang': () => {},
  '/slow': (_response, answer) => setTimeout(answer, 2000),
  '/garbage': (response) => response.end('<html>'),
  '/fail': (response) => response.writeHead(500, { 'content-type': 'text/plain' }).end('boom'),
  '/redirect': (response) => response.writeHead(307, { location: 'https://127.0.0.1:6443/api' }).end(),
  '/flood': (response) => {
    let left = 1600;
    const more = () => {
      while (left-- > 0 && !response.destroyed) if (!response.write('x'.repeat(65536))) return;
      response.end();
    };
    response.on('drain', more);
    more();
  },
};

/** v1 has `hostPort`, v2 has `host` and `port`. */
function convert({ hostPort, host, port, ...object }, apiVersion) {
  if (apiVersion.endsWith('/v1')) return { ...object, apiVersion, hostPort: `${host}:${port}` };
  const [name, number] = hostPort.split(':');
  return { ...object, apiVersion, host: name, port: number };
}

function answerTo(path, review) {
  const { request } = review;
  if (path === '/convert') {
    const convertedObjects = request.objects.map((object) => convert(object, request.desiredAPIVersion));
    return { ...review, response: { uid: request.uid, result: { status: 'Success' }, convertedObjects } };
  }
  const { uid } = request;
  return { ...review, response: { uid, ...(admission[path] ?? admission['/always-allow'])(request) } };
}

createServer({ key: readFileSync('/tls/tls.key'), cert: readFileSync('/tls/tls.crt') }, async (request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/ready') return response.end('ok');
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const review = JSON.parse(Buffer.concat(chunks).toString());
  const answer = () => response.end(JSON.stringify(answerTo(path, review)));
  const behaviour = rude[path];
  if (behaviour === undefined) answer();
  else behaviour(response, answer);
}).listen(8443);

process.on('SIGTERM', () => process.exit(0));
