import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { DaemonSet, DaemonSetSpec } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import {
  immutable,
  intOrPercent,
  intOrPercentValue,
  nonNegative,
  notMoreThan100Percent,
} from '../validation/values.ts';
import { dropFromWorkload } from './disabled-fields.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { childObject, defaultPlain, defaultPointer, defaultStatus, dropZero } from './shape.ts';
import {
  collisionCountKept,
  emptySelector,
  nonNegativeCounters,
  validateRunningTemplate,
  validateTemplateLabels,
} from './workload-validation.ts';
import { changedTemplateWarnings } from './workload-warnings.ts';

type Object = DeepReadonly<DaemonSet>;

const generationAnnotation = 'deprecated.daemonset.template.generation';
const statusCounters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
];
const emptyStatus = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };

export const daemonSetStrategy: Strategy = {
  dropDisabled: dropFromWorkload,
  default(object) {
    // A field of the spec upstream, which this version has as an annotation: it is always there.
    setTemplateGeneration(object.metadata, object.metadata.annotations?.[generationAnnotation] ?? '0');
    defaultSpec(childObject(object, 'spec'));
    defaultStatus(object, emptyStatus);
    // Every author of a DaemonSet writes the annotation, which is a field of its own in upstream's internal type.
    if (object.metadata.annotations?.[generationAnnotation] === undefined) setTemplateGeneration(object.metadata, '0');
  },
  prepareForCreate(object) {
    object.status = { ...emptyStatus };
    setTemplateGeneration(object.metadata, '1');
  },
  prepareForUpdate(object, old, { subresource }) {
    const before = old as unknown as Object;
    const generation = Number(before.metadata.annotations?.[generationAnnotation] ?? '0');
    const changed = subresource === '' && !equalJSON((object as unknown as Object).spec.template, before.spec.template);
    setTemplateGeneration(object.metadata, String(changed ? generation + 1 : generation));
  },
  validate: (object) => validateSpec((object as unknown as Object).spec),
  validateUpdate(object, old, { subresource }) {
    const { spec, status } = object as unknown as Object;
    const before = old as unknown as Object;
    if (subresource === 'status') {
      return [
        ...nonNegativeCounters({ ...status }, statusCounters),
        ...collisionCountKept({ ...status }, { ...before.status }),
      ];
    }
    return [...validateSpec(spec), ...immutable(spec.selector, before.spec.selector, 'spec.selector')];
  },
  warnings: (object, old) =>
    changedTemplateWarnings(object, old, (object as unknown as Object).spec?.template, 'spec.template'),
};

function setTemplateGeneration(metadata: { annotations?: Record<string, string> }, value: string): void {
  metadata.annotations = { ...metadata.annotations, [generationAnnotation]: value };
}

function defaultSpec(spec: DaemonSetSpec): void {
  dropZero(spec, ['minReadySeconds']);
  const strategy = childObject<NonNullable<DaemonSetSpec['updateStrategy']>>(spec, 'updateStrategy');
  defaultPlain(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') {
    const rolling = childObject(strategy, 'rollingUpdate');
    defaultPointer(rolling, 'maxUnavailable', 1);
    defaultPointer(rolling, 'maxSurge', 0);
  } else if (strategy.rollingUpdate) {
    defaultPointer(strategy.rollingUpdate, 'maxUnavailable', 0);
    defaultPointer(strategy.rollingUpdate, 'maxSurge', 0);
  }
  defaultPointer(spec, 'revisionHistoryLimit', 10);
  defaultPodTemplate(childObject(spec, 'template'));
}

function validateSpec(spec: DeepReadonly<DaemonSetSpec>): field.FieldError[] {
  return [
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...validateTemplateLabels(spec.selector, spec.template, 'spec.template'),
    ...emptySelector(spec.selector, 'daemonset', 'spec.selector'),
    ...validateRunningTemplate(spec.template, 'DaemonSet', 'spec.template'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateUpdateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
}

function validateUpdateStrategy(
  strategy: DeepReadonly<NonNullable<DaemonSetSpec['updateStrategy']>>,
  path: string,
): field.FieldError[] {
  const type = strategy.type ?? '';
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') return [field.notSupported(path, strategy, ['RollingUpdate', 'OnDelete'])];
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {};
  const at = `${path}.rollingUpdate`;
  const errors = [
    ...intOrPercent(maxUnavailable, `${at}.maxUnavailable`),
    ...notMoreThan100Percent(maxUnavailable, `${at}.maxUnavailable`),
    ...intOrPercent(maxSurge, `${at}.maxSurge`),
    ...notMoreThan100Percent(maxSurge, `${at}.maxSurge`),
  ];
  const [unavailable, surge] = [intOrPercentValue(maxUnavailable), intOrPercentValue(maxSurge)];
  if (unavailable !== 0 && surge !== 0) {
    errors.push(field.invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (unavailable === 0 && surge === 0) {
    errors.push(field.required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
}
