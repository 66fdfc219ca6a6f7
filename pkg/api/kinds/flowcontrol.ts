/** Kinds of flowcontrol.apiserver.k8s.io. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { oneOf } from '../validation/values.ts';
import { childObject, defaultPlain, defaultPointer } from './shape.ts';

const maxPrecedence = 10_000;

export const flowSchemaStrategy: Strategy = {
  default(object) {
    defaultPlain(childObject(object, 'spec'), 'matchingPrecedence', 1000);
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateFlowSchema(object as unknown as DeepReadonly<FlowSchema>),
};

function validateFlowSchema(schema: DeepReadonly<FlowSchema>): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const precedence = schema.spec?.matchingPrecedence ?? 0;
  if (precedence <= 0) {
    errors.push(field.invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
  } else if (precedence > maxPrecedence) {
    const detail = `must not be greater than ${maxPrecedence}`;
    errors.push(field.invalid('spec.matchingPrecedence', precedence, detail));
  }
  if (!schema.spec?.priorityLevelConfiguration?.name) {
    errors.push(field.required('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
  }
  return errors;
}

export const priorityLevelConfigurationStrategy: Strategy = {
  default(object) {
    const spec = childObject<PriorityLevelConfiguration['spec'] & object>(object, 'spec');
    childObject(object, 'status');
    if (spec.type === 'Exempt') {
      const exempt = childObject(spec, 'exempt');
      defaultPointer(exempt, 'nominalConcurrencyShares', 0);
      defaultPointer(exempt, 'lendablePercent', 0);
    }
    const { limited } = spec;
    if (!limited) return;
    defaultPointer(limited, 'nominalConcurrencyShares', 30);
    defaultPointer(limited, 'lendablePercent', 0);
    const queuing = limited.limitResponse?.queuing;
    if (!queuing) return;
    defaultPlain(queuing, 'queues', 64);
    defaultPlain(queuing, 'handSize', 8);
    defaultPlain(queuing, 'queueLengthLimit', 50);
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate(object) {
    const { spec } = object as unknown as DeepReadonly<PriorityLevelConfiguration>;
    const errors = oneOf(spec?.type, ['Exempt', 'Limited'], 'spec.type');
    if (spec?.type === 'Limited' && !spec.limited) {
      errors.push(field.required('spec.limited', 'must not be empty when type is Limited'));
    }
    if (spec?.type === 'Exempt' && spec.limited) {
      errors.push(field.forbidden('spec.limited', 'must be nil if the type is not Limited'));
    }
    return errors;
  },
};
