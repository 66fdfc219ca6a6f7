/** Kinds of flowcontrol.apiserver.k8s.io. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../generated/types.ts';
import { validateFlowConditions, validateFlowSchema, validatePriorityLevel } from './flowcontrol-validation.ts';
import { childObject, defaultPlain, defaultPointer } from './shape.ts';

export const flowSchemaStrategy: Strategy = {
  default(object) {
    defaultPlain(childObject(object, 'spec'), 'matchingPrecedence', 1000);
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateFlowSchema(object as unknown as DeepReadonly<FlowSchema>),
  validateUpdate(object, _old, { subresource }) {
    const schema = object as unknown as DeepReadonly<FlowSchema>;
    return subresource === 'status' ? validateFlowConditions(schema.status?.conditions) : validateFlowSchema(schema);
  },
};

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
  validate: (object) => validatePriorityLevel(object as unknown as DeepReadonly<PriorityLevelConfiguration>),
  validateUpdate(object, _old, { subresource }) {
    const level = object as unknown as DeepReadonly<PriorityLevelConfiguration>;
    return subresource === 'status' ? validateFlowConditions(level.status?.conditions) : validatePriorityLevel(level);
  },
};
