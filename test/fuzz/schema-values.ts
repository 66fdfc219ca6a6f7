import type { Schema } from '../../pkg/api/schema.ts';
import type { Random } from './random.ts';
import { Members, type Value } from './value.ts';

const MAX_DEPTH = 8;

/** A document of the right shape for a schema, with plausible values; each field is there with the given probability. */
export function valueFor(schema: Schema, random: Random, name = '', density = 0.25, depth = 0): Value {
  if (depth > MAX_DEPTH) return null;
  const below = (inner: Schema, key: string): Value => valueFor(inner, random, key, density, depth + 1);
  switch (schema.type) {
    case 'object': {
      if (schema.additionalProperties !== undefined) {
        return new Members([
          [random.pick(['a', 'b', 'app', 'cpu', 'memory']), below(schema.additionalProperties, name)],
        ]);
      }
      const result = new Members();
      for (const [key, field] of schema.properties ?? []) {
        if (key === 'status' || key === 'apiVersion' || key === 'kind' || key === 'metadata') continue;
        const wanted = schema.required?.includes(key) === true || field.always === true || random.chance(density);
        if (wanted) result.entries.push([key, below(field, key)]);
      }
      return result;
    }
    case 'array':
      return schema.items === undefined
        ? []
        : Array.from({ length: random.int(3) }, () => below(schema.items as Schema, name));
    case 'integer':
      return random.pick([0, 1, 2, 80, 8080, 30, 100]);
    case 'number':
      return random.pick([0, 0.5, 1]);
    case 'boolean':
      return random.chance(0.5);
    case 'intOrString':
      return random.pick<Value>([1, '25%', 'http', 80]);
    case 'quantity':
      return random.pick(['1', '100m', '1Gi', '128Mi']);
    case 'time':
      return '2024-01-02T03:04:05Z';
    case 'microTime':
      return '2024-01-02T03:04:05.000006Z';
    case 'bytes':
      return 'aGVsbG8=';
    case 'string':
      return plausible(name, random);
    default:
      return random.pick<Value>([null, 1, 'x', true]);
  }
}

const BY_NAME: Readonly<Record<string, readonly string[]>> = {
  protocol: ['TCP', 'UDP', 'SCTP'],
  type: ['ClusterIP', 'NodePort', 'RollingUpdate', 'Recreate', 'Opaque', 'Ready', 'Container'],
  operator: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Equal', 'Gt'],
  effect: ['NoSchedule', 'NoExecute'],
  restartPolicy: ['Always', 'Never', 'OnFailure'],
  imagePullPolicy: ['Always', 'IfNotPresent'],
  schedule: ['*/5 * * * *', '@hourly'],
  mountPath: ['/data', '/tmp'],
  path: ['/', '/a'],
  pathType: ['Prefix', 'Exact'],
  image: ['busybox', 'registry.invalid/a:1'],
  cidr: ['10.0.0.0/8'],
  ip: ['10.1.2.3'],
  accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
  apiGroup: ['', 'rbac.authorization.k8s.io'],
  apiGroups: ['', 'apps', '*'],
  verbs: ['get', 'list', '*'],
  resources: ['pods', '*'],
  roleRef: ['view'],
  expression: ['self.a == 1', 'true', 'object.spec.replicas <= 5'],
  rule: ['self.a == 1', 'true'],
};

function plausible(name: string, random: Random): string {
  return random.pick(BY_NAME[name] ?? ['a', 'b', 'name-1', 'x.example.com', 'value']);
}
