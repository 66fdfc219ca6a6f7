import { resources } from '../../api/generated/resources.ts';
import type { ClusterRoleBinding, RoleBinding, Subject } from '../../api/generated/types.ts';
import { MASTERS_GROUP, type UserInfo } from '../../api/user.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { serviceAccountUsername } from '../authentication/service-account-user.ts';
import type { AuthorizationAttributes, AuthorizationResult, Authorizer, ObjectReader } from '../contract.ts';
import { type Rule, ruleAllows } from './policy-rule.ts';

type Binding = DeepReadonly<ClusterRoleBinding | RoleBinding>;

/** Bindings by subject: `u:NAME` for users and ServiceAccounts, `g:NAME` for groups. */
type Subjects = Map<string, Set<Binding>>;

/** Which rules apply to a user, and what could not be found. */
export interface ResolvedRules {
  readonly rules: readonly Rule[];
  readonly errors: readonly string[];
}

const ALLOWED_MASTER: AuthorizationResult = { decision: 'allow', reason: '' };
const NO_OPINION: AuthorizationResult = { decision: 'no-opinion', reason: '' };

/**
 * Role-based access control. Roles and bindings are indexed by subject as they change, so a decision is a few map look-ups
 * and a scan of the user's own rules. Corresponds to upstream's plugin/pkg/auth/authorizer/rbac.
 */
export class RBACAuthorizer implements Authorizer {
  readonly #clusterRoles = new Map<string, readonly Rule[]>();
  readonly #roles = new Map<string, readonly Rule[]>();
  readonly #clusterBindings: Subjects = new Map();
  readonly #bindings = new Map<string, Subjects>();
  /** What is in the two maps above, by `namespace/name`, to take it out again. */
  readonly #known = new Map<string, Binding>();

  /** Reads what is there and follows changes until the returned function is called. */
  static watch(reader: ObjectReader): { readonly authorizer: RBACAuthorizer; readonly stop: () => void } {
    const authorizer = new RBACAuthorizer();
    const stops = [
      reader.onChange(resources.clusterroles, (object, change) =>
        setRole(authorizer.#clusterRoles, object.metadata.name, object.rules, change !== 'DELETED'),
      ),
      reader.onChange(resources.roles, (object, change) =>
        setRole(authorizer.#roles, roleKey(object.metadata), object.rules, change !== 'DELETED'),
      ),
      reader.onChange(resources.clusterrolebindings, (object, change) =>
        authorizer.#bind(object, change !== 'DELETED'),
      ),
      reader.onChange(resources.rolebindings, (object, change) => authorizer.#bind(object, change !== 'DELETED')),
    ];
    for (const role of reader.list(resources.clusterroles))
      setRole(authorizer.#clusterRoles, role.metadata.name, role.rules, true);
    for (const role of reader.list(resources.roles))
      setRole(authorizer.#roles, roleKey(role.metadata), role.rules, true);
    for (const binding of reader.list(resources.clusterrolebindings)) authorizer.#bind(binding, true);
    for (const binding of reader.list(resources.rolebindings)) authorizer.#bind(binding, true);
    return { authorizer, stop: () => stopAll(stops) };
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationResult {
    if (attributes.user.groups.includes(MASTERS_GROUP)) return ALLOWED_MASTER;
    let errors: string[] | undefined;
    for (const binding of this.#bindingsOf(attributes.user, attributes.namespace)) {
      const rules = this.#rulesOf(binding);
      if (rules === undefined) {
        errors ??= [];
        errors.push(missingRole(binding));
        continue;
      }
      for (const rule of rules) {
        if (ruleAllows(rule, attributes)) return new Grant(binding, attributes.user);
      }
    }
    return errors === undefined ? NO_OPINION : { decision: 'no-opinion', reason: `RBAC: ${joinErrors(errors)}` };
  }

  /** All rules of a user in a namespace ('' for the cluster scope alone). */
  rulesFor(user: UserInfo, namespace: string): ResolvedRules {
    const rules: Rule[] = [];
    const errors: string[] = [];
    for (const binding of this.#bindingsOf(user, namespace)) {
      const granted = this.#rulesOf(binding);
      if (granted === undefined) errors.push(missingRole(binding));
      else rules.push(...granted);
    }
    return { rules, errors };
  }

  /** The rules of a role; undefined when there is no such role. */
  rulesOfRole(kind: string, namespace: string, name: string): readonly Rule[] | undefined {
    return kind === 'ClusterRole' ? this.#clusterRoles.get(name) : this.#roles.get(`${namespace}/${name}`);
  }

  *#bindingsOf(user: UserInfo, namespace: string): Iterable<Binding> {
    yield* matching(this.#clusterBindings, user);
    if (namespace === '') return;
    const subjects = this.#bindings.get(namespace);
    if (subjects !== undefined) yield* matching(subjects, user);
  }

  #rulesOf(binding: Binding): readonly Rule[] | undefined {
    return this.rulesOfRole(binding.roleRef.kind, binding.metadata.namespace ?? '', binding.roleRef.name);
  }

  #bind(binding: Binding, present: boolean): void {
    const namespace = binding.metadata.namespace ?? '';
    const key = `${namespace}/${binding.metadata.name}`;
    const subjects = this.#subjectsOf(namespace);
    const old = this.#known.get(key);
    if (old !== undefined) {
      this.#known.delete(key);
      for (const subject of subjectKeys(old)) {
        const bindings = subjects.get(subject);
        bindings?.delete(old);
        if (bindings?.size === 0) subjects.delete(subject);
      }
    }
    if (present) {
      this.#known.set(key, binding);
      for (const subject of subjectKeys(binding)) {
        const bindings = subjects.get(subject);
        if (bindings === undefined) subjects.set(subject, new Set([binding]));
        else bindings.add(binding);
      }
    } else if (namespace !== '' && subjects.size === 0) this.#bindings.delete(namespace);
  }

  #subjectsOf(namespace: string): Subjects {
    if (namespace === '') return this.#clusterBindings;
    let subjects = this.#bindings.get(namespace);
    if (subjects === undefined) {
      subjects = new Map();
      this.#bindings.set(namespace, subjects);
    }
    return subjects;
  }
}

/** An allowed request; says by which binding only when somebody asks. */
class Grant implements AuthorizationResult {
  readonly decision = 'allow';
  readonly #binding: Binding;
  readonly #user: UserInfo;

  constructor(binding: Binding, user: UserInfo) {
    this.#binding = binding;
    this.#user = user;
  }

  get reason(): string {
    return describeGrant(this.#binding, this.#user);
  }
}

function setRole(
  roles: Map<string, readonly Rule[]>,
  key: string,
  rules: readonly Rule[] | undefined | null,
  present: boolean,
): void {
  if (present) roles.set(key, rules ?? []);
  else roles.delete(key);
}

function roleKey(metadata: { readonly namespace: string; readonly name: string }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function* matching(subjects: Subjects, user: UserInfo): Iterable<Binding> {
  const own = subjects.get(`u:${user.username}`);
  if (own !== undefined) yield* own;
  for (const group of user.groups) {
    const bindings = subjects.get(`g:${group}`);
    if (bindings !== undefined) yield* bindings;
  }
}

function subjectKeys(binding: Binding): string[] {
  return (binding.subjects ?? []).map((subject) => subjectKey(subject, binding.metadata.namespace ?? ''));
}

function subjectKey(subject: DeepReadonly<Subject>, namespace: string): string {
  switch (subject.kind) {
    case 'Group':
      return `g:${subject.name}`;
    case 'ServiceAccount':
      return `u:${serviceAccountUsername(subject.namespace || namespace, subject.name)}`;
    default:
      return `u:${subject.name}`;
  }
}

function missingRole(binding: Binding): string {
  const resource = binding.roleRef.kind === 'ClusterRole' ? 'clusterrole' : 'role';
  return `${resource}.rbac.authorization.k8s.io "${binding.roleRef.name}" not found`;
}

function joinErrors(errors: readonly string[]): string {
  return errors.length === 1 ? (errors[0] ?? '') : `[${[...new Set(errors)].join(', ')}]`;
}

/** Upstream's words for why a request was allowed, as access reviews show them. */
function describeGrant(binding: Binding, user: UserInfo): string {
  const namespace = binding.metadata.namespace ?? '';
  const subject = binding.subjects?.find((candidate) => {
    const key = subjectKey(candidate, namespace);
    return key.startsWith('u:') ? key.slice(2) === user.username : user.groups.includes(key.slice(2));
  });
  const who =
    subject?.kind === 'ServiceAccount'
      ? `ServiceAccount "${subject.name}/${subject.namespace || namespace}"`
      : `${subject?.kind ?? 'User'} "${subject?.name ?? user.username}"`;
  const by =
    namespace === ''
      ? `ClusterRoleBinding "${binding.metadata.name}"`
      : `RoleBinding "${binding.metadata.name}/${namespace}"`;
  return `RBAC: allowed by ${by} of ${binding.roleRef.kind} "${binding.roleRef.name}" to ${who}`;
}

function stopAll(stops: readonly (() => void)[]): void {
  for (const stop of stops) stop();
}
