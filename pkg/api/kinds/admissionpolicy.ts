/** Admission policies and their bindings. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../generated/types.ts';
import { mutatingPolicyExpressions, validatingPolicyExpressions } from './admission-expressions.ts';
import {
  validateMutatingPolicy,
  validatePolicyBinding,
  validatePolicyStatus,
  validateValidatingPolicy,
} from './admissionpolicy-validation.ts';
import { childObject, defaultPointer } from './shape.ts';

type ValidatingPolicy = DeepReadonly<ValidatingAdmissionPolicy>;
type MutatingPolicy = DeepReadonly<MutatingAdmissionPolicy>;

export const validatingAdmissionPolicyStrategy: Strategy = {
  default(object) {
    defaultPolicy(object);
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate(object) {
    const { metadata, spec } = object as unknown as ValidatingPolicy;
    return validateValidatingPolicy(metadata?.name ?? '', spec, undefined);
  },
  validateUpdate(object, old, { subresource }) {
    const { metadata, spec, status } = object as unknown as ValidatingPolicy;
    if (subresource === 'status') return validatePolicyStatus(status);
    return validateValidatingPolicy(metadata?.name ?? '', spec, (old as unknown as ValidatingPolicy).spec);
  },
  validateLater: (object, old) => validatingPolicyExpressions(object, old),
  allowUnconditionalUpdate: false,
};

export const mutatingAdmissionPolicyStrategy: Strategy = {
  default: defaultPolicy,
  validate: (object) => validateMutatingPolicy((object as unknown as MutatingPolicy).spec, undefined),
  validateUpdate: (object, old) =>
    validateMutatingPolicy((object as unknown as MutatingPolicy).spec, (old as unknown as MutatingPolicy).spec),
  validateLater: (object, old) => mutatingPolicyExpressions(object, old),
  allowUnconditionalUpdate: false,
};

export const validatingAdmissionPolicyBindingStrategy = bindings(true);
export const mutatingAdmissionPolicyBindingStrategy = bindings(false);

function bindings(hasActions: boolean): Strategy {
  const validate = (object: unknown) =>
    validatePolicyBinding((object as DeepReadonly<ValidatingAdmissionPolicyBinding>).spec, hasActions);
  return {
    default(object) {
      const spec = childObject<{ matchResources?: MatchResources }>(object, 'spec');
      if (spec.matchResources) defaultMatchResources(spec.matchResources);
    },
    validate,
    validateUpdate: validate,
    allowUnconditionalUpdate: false,
  };
}

function defaultPolicy(object: object): void {
  const spec = childObject<ValidatingAdmissionPolicy['spec'] & object>(object, 'spec');
  defaultPointer(spec, 'failurePolicy', 'Fail');
  if (spec.matchConstraints) defaultMatchResources(spec.matchConstraints);
}

function defaultMatchResources(match: MatchResources): void {
  defaultPointer(match, 'matchPolicy', 'Equivalent');
  childObject(match, 'namespaceSelector');
  childObject(match, 'objectSelector');
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) {
    defaultPointer(rule, 'scope', '*');
  }
}
