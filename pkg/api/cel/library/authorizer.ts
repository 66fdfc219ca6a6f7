import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { type CelType, opaqueType } from '../types.ts';
import { HostValue } from '../values.ts';

/** What an expression asks an authorizer. */
export interface AuthorizationCheck {
  /** Asks for a service account in place of the request's user. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly verb: string;
  /** A non-resource request. */
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface AuthorizationDecision {
  readonly allowed: boolean;
  readonly reason: string;
  /** Set when the decision could not be made. */
  readonly error?: string;
}

/** Answers checks; to be synchronous it works on what is in memory. */
export interface AuthorizationHost {
  check(check: AuthorizationCheck): AuthorizationDecision;
}

const TYPES = {
  authorizer: 'kubernetes.authorization.Authorizer',
  path: 'kubernetes.authorization.PathCheck',
  group: 'kubernetes.authorization.GroupCheck',
  resource: 'kubernetes.authorization.ResourceCheck',
  decision: 'kubernetes.authorization.Decision',
} as const;

/** The type of the variables `authorizer` and `authorizer.requestResource`. */
export const AUTHORIZER_TYPE: CelType = opaqueType(TYPES.authorizer);
export const RESOURCE_CHECK_TYPE: CelType = opaqueType(TYPES.resource);

type CheckPart = Omit<AuthorizationCheck, 'verb'>;

/** An authorizer, or a check on its way. */
export class AuthorizerValue extends HostValue {
  readonly type: CelType;
  readonly host: AuthorizationHost;
  readonly check: CheckPart;

  constructor(host: AuthorizationHost, kind: keyof typeof TYPES = 'authorizer', check: CheckPart = {}) {
    super();
    this.type = opaqueType(TYPES[kind]);
    this.host = host;
    this.check = check;
  }

  equals(other: HostValue): boolean {
    return other === this;
  }

  with(kind: keyof typeof TYPES, part: CheckPart): AuthorizerValue {
    return new AuthorizerValue(this.host, kind, { ...this.check, ...part });
  }
}

class DecisionValue extends HostValue {
  readonly type: CelType = opaqueType(TYPES.decision);
  readonly decision: AuthorizationDecision;

  constructor(decision: AuthorizationDecision) {
    super();
    this.decision = decision;
  }

  equals(other: HostValue): boolean {
    return other === this;
  }
}

/** `authorizer.group('').resource('pods').check('get').allowed()`. */
export function authorizerLibrary(): Library {
  const { authorizer, path, group, resource, decision } = TYPES;
  const set = (name: 'subresource' | 'namespace' | 'name' | 'fieldSelector' | 'labelSelector', id: string) =>
    overload(id, `${resource}#${name}(string) ${resource}`, (value: AuthorizerValue, text: string) =>
      value.with('resource', { [name]: text }),
    );
  const check = (value: AuthorizerValue, verb: string): DecisionValue =>
    new DecisionValue(value.host.check({ ...value.check, verb }));
  return {
    name: 'kubernetes.authorizer',
    overloads: [
      overload('authorizer_path', `${authorizer}#path(string) ${path}`, (value: AuthorizerValue, text: string) => {
        if (text === '') throw new Failure('path must not be empty');
        return value.with('path', { path: text });
      }),
      overload('authorizer_group', `${authorizer}#group(string) ${group}`, (value: AuthorizerValue, text: string) =>
        value.with('group', { group: text }),
      ),
      overload(
        'authorizer_serviceaccount',
        `${authorizer}#serviceAccount(string, string) ${authorizer}`,
        serviceAccount,
      ),
      overload(
        'groupcheck_resource',
        `${group}#resource(string) ${resource}`,
        (value: AuthorizerValue, text: string) => {
          if (text === '') throw new Failure('resource must not be empty');
          return value.with('resource', { resource: text });
        },
      ),
      set('subresource', 'resourcecheck_subresource'),
      set('namespace', 'resourcecheck_namespace'),
      set('name', 'resourcecheck_name'),
      set('fieldSelector', 'authorizer_fieldselector'),
      set('labelSelector', 'authorizer_labelselector'),
      overload('pathcheck_check', `${path}#check(string) ${decision}`, check),
      overload('resourcecheck_check', `${resource}#check(string) ${decision}`, check),
      overload(
        'decision_errored',
        `${decision}#errored() bool`,
        (value: DecisionValue) => value.decision.error !== undefined,
      ),
      overload('decision_error', `${decision}#error() string`, (value: DecisionValue) => value.decision.error ?? ''),
      overload('decision_allowed', `${decision}#allowed() bool`, (value: DecisionValue) => value.decision.allowed),
      overload('decision_reason', `${decision}#reason() string`, (value: DecisionValue) => value.decision.reason),
    ],
  };
}

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

function serviceAccount(value: AuthorizerValue, namespace: string, name: string): AuthorizerValue {
  if (name.length > 253 || !name.split('.').every((part) => LABEL.test(part)))
    throw new Failure('Invalid service account name');
  if (namespace.length > 63 || !LABEL.test(namespace)) throw new Failure('Invalid service account namespace');
  return value.with('authorizer', { serviceAccount: { namespace, name } });
}
