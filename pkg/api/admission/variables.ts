import {
  AUTHORIZER_TYPE,
  celTypes,
  DECL_DYN,
  DECL_STRING,
  type DeclField,
  type DeclType,
  objectOf,
  RESOURCE_CHECK_TYPE,
  type VariableDecl,
} from '../cel/index.ts';

/** Beside `object`, `oldObject`, `request` and `namespaceObject`, which every expression has. */
export interface VariableChoice {
  readonly params: boolean;
  readonly authorizer: boolean;
  /** Literals of objects and patches, for mutations. */
  readonly patches?: boolean;
}

const BOOL: DeclType = { type: celTypes.BOOL, maxElements: 0, minSerializedSize: 4 };
const INT: DeclType = { type: celTypes.INT, maxElements: 0, minSerializedSize: 1 };
const TIMESTAMP: DeclType = { type: celTypes.TIMESTAMP, maxElements: 32, minSerializedSize: 21 };
const TEXTS = listOf(DECL_STRING);

/** The names of expressions in admission, with their types. */
export function admissionVariables({ params, authorizer }: VariableChoice): ReadonlyMap<string, VariableDecl> {
  const request = requestDecl();
  const namespace = namespaceDecl();
  const variables = new Map<string, VariableDecl>([
    ['object', { type: celTypes.DYN }],
    ['oldObject', { type: celTypes.DYN }],
    ['request', { type: request.type, decl: request }],
    ['namespaceObject', { type: namespace.type, decl: namespace }],
  ]);
  if (params) variables.set('params', { type: celTypes.DYN });
  if (authorizer) {
    variables.set('authorizer', { type: AUTHORIZER_TYPE });
    variables.set('authorizer.requestResource', { type: RESOURCE_CHECK_TYPE });
  }
  return variables;
}

function requestDecl(): DeclType {
  const kind = record('kubernetes.GroupVersionKind', {
    group: DECL_STRING,
    version: DECL_STRING,
    kind: DECL_STRING,
  });
  const resource = record('kubernetes.GroupVersionResource', {
    group: DECL_STRING,
    version: DECL_STRING,
    resource: DECL_STRING,
  });
  const userInfo = record('kubernetes.UserInfo', {
    username: DECL_STRING,
    uid: DECL_STRING,
    groups: TEXTS,
    extra: mapOf(TEXTS),
  });
  return record('kubernetes.AdmissionRequest', {
    kind,
    resource,
    subResource: DECL_STRING,
    requestKind: kind,
    requestResource: resource,
    requestSubResource: DECL_STRING,
    name: DECL_STRING,
    namespace: DECL_STRING,
    operation: DECL_STRING,
    userInfo,
    dryRun: BOOL,
    options: DECL_DYN,
  });
}

function namespaceDecl(): DeclType {
  const labels = mapOf(DECL_STRING);
  const metadata = record('kubernetes.NamespaceMetadata', {
    name: DECL_STRING,
    generateName: DECL_STRING,
    namespace: DECL_STRING,
    labels,
    annotations: labels,
    UID: DECL_STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: DECL_STRING,
    finalizers: TEXTS,
  });
  const condition = record('kubernetes.NamespaceCondition', {
    status: DECL_STRING,
    type: DECL_STRING,
    lastTransitionTime: TIMESTAMP,
    message: DECL_STRING,
    reason: DECL_STRING,
  });
  return record('kubernetes.Namespace', {
    metadata,
    spec: record('kubernetes.NamespaceSpec', { finalizers: TEXTS }),
    status: record('kubernetes.NamespaceStatus', { conditions: listOf(condition), phase: DECL_STRING }),
  });
}

function record(name: string, members: Readonly<Record<string, DeclType>>): DeclType {
  const fields = Object.entries(members).map(([jsonName, decl]): [string, DeclField] => [
    jsonName,
    { jsonName, decl, required: false },
  ]);
  return objectOf(name, new Map(fields));
}

function listOf(element: DeclType): DeclType {
  return { type: celTypes.listOf(element.type), maxElements: 0, minSerializedSize: 2, element };
}

function mapOf(element: DeclType): DeclType {
  return { type: celTypes.mapOf(celTypes.STRING, element.type), maxElements: 0, minSerializedSize: 2, element };
}
