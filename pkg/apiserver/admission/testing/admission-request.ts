import type { ResourceDefinition } from '../../../api/definition.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject, type ResourceType } from '../../../api/object.ts';
import type { UserInfo } from '../../../api/user.ts';
import { cloneJSON } from '../../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '../../contract.ts';

/** One admission request as a test describes it. */
export interface TestRequest {
  readonly operation?: Operation;
  readonly type: ResourceType<never>;
  readonly object?: object;
  readonly oldObject?: object;
  readonly subresource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly user?: UserInfo;
  readonly dryRun?: boolean;
  /** Absent: one with nothing but its type. */
  readonly definition?: ResourceDefinition;
  /** Takes the audit annotations, also of a request that is refused. */
  readonly annotations?: Record<string, string>;
}

export interface TestAnswer {
  /** The object as the plugins left it. */
  readonly object: Record<string, never>;
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** Runs plugins on a request as the API server does: `admit` of all, then `validate` of all. For tests of plugins. */
export async function runAdmission(plugins: readonly AdmissionPlugin[], request: TestRequest): Promise<TestAnswer> {
  const warnings: string[] = [];
  const annotations: Record<string, string> = request.annotations ?? {};
  let wantsSecondRound = false;
  const { type, subresource = '' } = request;
  const namespace = request.namespace ?? (type.namespaced ? 'ns' : '');
  const complete = (object: object): KubeObject => {
    const copy = cloneJSON(object) as Partial<KubeObject>;
    const metadata = { name: request.name ?? 'x', ...(namespace === '' ? {} : { namespace }), ...copy.metadata };
    return { ...copy, apiVersion: apiVersionOf(type), kind: type.kind, metadata } as KubeObject;
  };
  const operation = request.operation ?? (request.oldObject === undefined ? 'CREATE' : 'UPDATE');
  const definition = request.definition ?? ({ type } as unknown as ResourceDefinition);
  const object = request.object === undefined ? undefined : complete(request.object);
  const attributes: AdmissionAttributes = {
    operation,
    definition,
    subresource,
    namespace,
    name: request.name ?? object?.metadata.name ?? '',
    user: request.user ?? { username: 'alice', groups: ['system:authenticated'] },
    dryRun: request.dryRun === true,
    object,
    oldObject: request.oldObject === undefined ? undefined : (complete(request.oldObject) as DeepReadonly<KubeObject>),
    options: {},
    warn: (text) => warnings.push(text),
    annotate: (key, value) => {
      annotations[key] = value;
    },
    signal: new AbortController().signal,
    remainingMs: () => Number.POSITIVE_INFINITY,
    waitedForWebhooks: () => {},
    replace: (next) => {
      if (object === undefined) throw new Error('there is no object to replace');
      for (const key of Object.keys(object)) delete object[key];
      Object.assign(object, cloneJSON(next));
    },
    reinvocation: {
      isSecondRound: false,
      kept: new Map(),
      request: () => {
        wantsSecondRound = true;
      },
    },
  };
  const active = plugins.filter((plugin) => plugin.handles(operation, definition, subresource));
  for (const plugin of active) await plugin.admit?.(attributes);
  if (wantsSecondRound) {
    const again = { ...attributes, reinvocation: { ...attributes.reinvocation, isSecondRound: true } };
    for (const plugin of active) await plugin.admit?.(again);
  }
  for (const plugin of active) await plugin.validate?.(attributes);
  return { object: (object ?? {}) as unknown as Record<string, never>, warnings, annotations };
}
