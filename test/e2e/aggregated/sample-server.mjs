/**
 * A small aggregated API server after upstream's sample: group wardle.example.com, resource flunders, kept in memory. It
 * leaves authentication and authorization to the cluster: it trusts the front proxy that kube-system's ConfigMap
 * extension-apiserver-authentication names, asks TokenReview about tokens, and SubjectAccessReview about everything else.
 *
 *   PORT (8443), TLS_CERT and TLS_KEY (PEM files), API_SERVER (URL), API_CA and API_TOKEN (files; default: the pod's own)
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:https';

const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const api =
  process.env.API_SERVER ?? `https://${process.env.KUBERNETES_SERVICE_HOST}:${process.env.KUBERNETES_SERVICE_PORT}`;
const ca = readFileSync(process.env.API_CA ?? `${account}/ca.crt`);
const token = readFileSync(process.env.API_TOKEN ?? `${account}/token`, 'utf8').trim();
const group = 'wardle.example.com';
const version = 'v1alpha1';
const root = `/apis/${group}/${version}`;

/** Calls the cluster's API server. */
function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const outgoing = request(
      api + path,
      { method, ca, headers, servername: 'kubernetes.default.svc' },
      async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        if (answer.statusCode >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        else resolve(JSON.parse(text));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const { data } = await call('GET', '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication');
const proxyCA = new X509Certificate(data['requestheader-client-ca-file']);
const allowedNames = JSON.parse(data['requestheader-allowed-names']);

async function userOf(incoming) {
  const { raw, subject } = incoming.socket.getPeerCertificate();
  if (raw !== undefined) {
    const certificate = new X509Certificate(raw);
    if (
      certificate.checkIssued(proxyCA) &&
      certificate.verify(proxyCA.publicKey) &&
      allowedNames.includes(subject.CN)
    ) {
      const { headersDistinct: headers } = incoming;
      const extra = {};
      for (const [name, values] of Object.entries(headers))
        if (name.startsWith('x-remote-extra-')) extra[decodeURIComponent(name.slice(15))] = values;
      const [user] = headers['x-remote-user'] ?? [];
      return { user, uid: headers['x-remote-uid']?.[0], groups: headers['x-remote-group'] ?? [], extra };
    }
  }
  const bearer = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1];
  if (bearer === undefined) return { user: 'system:anonymous', groups: ['system:unauthenticated'] };
  const review = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: bearer },
  });
  const { username, uid, groups, extra } = review.status.user;
  return review.status.authenticated ? { user: username, uid, groups, extra } : undefined;
}

async function isAllowed(user, attributes) {
  const review = await call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { ...user, ...attributes },
  });
  return review.status.allowed;
}

const flunders = new Map();
const watchers = new Set();
let revision = 1;

function changed(type, object) {
  for (const { namespace, response } of watchers)
    if (namespace === undefined || namespace === object.metadata.namespace)
      response.write(`${JSON.stringify({ type, object })}\n`);
}

const resource = {
  resource: 'flunders',
  responseKind: { group, version, kind: 'Flunder' },
  scope: 'Namespaced',
  singularResource: 'flunder',
  verbs: ['create', 'delete', 'get', 'list', 'watch'],
};
const flunderName = 'com.example.wardle.v1alpha1.Flunder';
const flunderSchema = {
  type: 'object',
  description: 'A flunder that nobody can do without.',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: { type: 'object', properties: { reference: { type: 'string', description: 'What it refers to.' } } },
  },
  'x-kubernetes-group-version-kind': [{ group, version, kind: 'Flunder' }],
};

const documents = {
  '/apis': {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: [{ metadata: { name: group }, versions: [{ version, resources: [resource], freshness: 'Current' }] }],
  },
  [root]: {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/${version}`,
    resources: [
      { name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs: resource.verbs },
    ],
  },
  '/openapi/v3': { paths: { [`apis/${group}/${version}`]: { serverRelativeURL: `/openapi/v3${root}?hash=1` } } },
  [`/openapi/v3${root}`]: {
    openapi: '3.0.0',
    info: { title: 'sample', version: '1' },
    paths: {
      [`${root}/namespaces/{namespace}/flunders`]: {
        get: {
          responses: { 200: { description: 'OK' } },
          'x-kubernetes-group-version-kind': { group, version, kind: 'Flunder' },
        },
      },
    },
    components: { schemas: { [flunderName]: flunderSchema } },
  },
  '/openapi/v2': {
    swagger: '2.0',
    info: { title: 'sample', version: '1' },
    paths: {
      [`${root}/namespaces/{namespace}/flunders`]: {
        get: { responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${flunderName}` } } } },
      },
    },
    definitions: { [flunderName]: flunderSchema },
  },
};

function send(response, code, body) {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendStatus(response, code, reason, message) {
  send(response, code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, message, code });
}

async function serve(incoming, response) {
  const url = new URL(incoming.url, 'https://sample');
  const user = await userOf(incoming);
  if (user === undefined) return sendStatus(response, 401, 'Unauthorized', 'Unauthorized');
  const document = documents[url.pathname];
  if (document !== undefined) return send(response, 200, document);
  const [, namespaced, , name = ''] =
    new RegExp(`^${root}/(namespaces/([^/]+)/)?flunders(?:/([^/]+))?$`).exec(url.pathname) ?? [];
  const namespace = namespaced?.split('/')[1];
  if (!url.pathname.startsWith(root)) return sendStatus(response, 404, 'NotFound', 'no such path');
  const isWatch = url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1';
  const verb = { POST: 'create', DELETE: 'delete', GET: name !== '' ? 'get' : isWatch ? 'watch' : 'list' }[
    incoming.method
  ];
  const attributes = { resourceAttributes: { group, version, resource: 'flunders', namespace, name, verb } };
  if (!(await isAllowed(user, attributes)))
    return sendStatus(response, 403, 'Forbidden', `${user.user} may not ${verb} flunders here`);
  const key = `${namespace}/${name}`;
  if (verb === 'create') {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const object = JSON.parse(text);
    object.metadata = { ...object.metadata, namespace, resourceVersion: String(++revision), uid: `uid-${revision}` };
    object.metadata.annotations = {
      ...object.metadata.annotations,
      'wardle.example.com/creator': JSON.stringify(user),
    };
    flunders.set(`${namespace}/${object.metadata.name}`, object);
    changed('ADDED', object);
    return send(response, 201, object);
  }
  if (verb === 'list') {
    const items = [...flunders.values()].filter(
      (one) => namespace === undefined || one.metadata.namespace === namespace,
    );
    return send(response, 200, {
      kind: 'FlunderList',
      apiVersion: `${group}/${version}`,
      metadata: { resourceVersion: String(revision) },
      items,
    });
  }
  if (verb === 'watch') {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const watcher = { namespace, response };
    watchers.add(watcher);
    response.once('close', () => watchers.delete(watcher));
    return;
  }
  const object = flunders.get(key);
  if (object === undefined) return sendStatus(response, 404, 'NotFound', `flunders.${group} "${name}" not found`);
  if (verb === 'delete') {
    flunders.delete(key);
    changed('DELETED', object);
  }
  send(response, 200, object);
}

const server = createServer(
  {
    cert: readFileSync(process.env.TLS_CERT),
    key: readFileSync(process.env.TLS_KEY),
    requestCert: true,
    rejectUnauthorized: false,
  },
  (incoming, response) => {
    serve(incoming, response).catch((error) => sendStatus(response, 500, 'InternalError', String(error)));
  },
);
server.on('upgrade', async (incoming, socket) => {
  const user = await userOf(incoming);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade}\r\n\r\n`,
  );
  socket.write(`hello ${user?.user}\n`);
  socket.pipe(socket);
});
server.listen(Number(process.env.PORT ?? 8443), () => process.stdout.write('serving\n'));
process.on('SIGTERM', () => process.exit(0));
