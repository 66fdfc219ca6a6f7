/** Admission policies and their bindings: defaults; expressions are checked where CEL is compiled. */
import type { Strategy } from '../definition.ts';
import type { MatchResources, ValidatingAdmissionPolicy } from '../generated/types.ts';
import { childObject, defaultPointer } from './shape.ts';

export const validatingAdmissionPolicyStrategy: Strategy = {
  default(object) {
    defaultPolicy(object);
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  allowUnconditionalUpdate: false,
};

export const mutatingAdmissionPolicyStrategy: Strategy = {
  default: defaultPolicy,
  allowUnconditionalUpdate: false,
};

export const admissionPolicyBindingStrategy: Strategy = {
  default(object) {
    const spec = childObject<{ matchResources?: MatchResources }>(object, 'spec');
    if (spec.matchResources) defaultMatchResources(spec.matchResources);
  },
  allowUnconditionalUpdate: false,
};

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
