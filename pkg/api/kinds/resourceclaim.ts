/** Claims of devices, templates of such claims, and classes of devices. */
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import { resourceFromV1Beta1 } from '../convert/resource-v1beta1.ts';
import type { Strategy } from '../definition.ts';
import type {
  DeviceClass,
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaimTemplate,
  ResourceResourceClaim,
} from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import * as field from '../validation/field-error.ts';
import { validateLabels } from '../validation/label-selector.ts';
import { validateAnnotations } from '../validation/object-meta.ts';
import { immutable } from '../validation/values.ts';
import { maxConfigs, validateDeviceClaim, validateSelectors } from './device-claim-validation.ts';
import { claimExpressionErrors, expressionErrors } from './device-expressions.ts';
import { validateEach, validateOpaque } from './device-validation.ts';
import { isExtendedResource } from './resource-validation.ts';
import { validateClaimStatus } from './resourceclaim-status-validation.ts';
import { childObject, defaultPlain } from './shape.ts';

type Claim = DeepReadonly<ResourceResourceClaim>;

/** The rules are written for v1; the oldest version is judged by what it means there. */
export function asV1(object: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> {
  return object.apiVersion === 'resource.k8s.io/v1beta1' ? resourceFromV1Beta1(object) : object;
}

export const resourceClaimStrategy: Strategy = {
  default(object) {
    defaultClaim(childObject(object, 'spec'));
    childObject(object, 'status');
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate: (object) => validateDeviceClaim((asV1(object) as unknown as Claim).spec?.devices, 'spec.devices'),
  // The spec does not change.
  validateLater: async (object, old) =>
    old === undefined ? claimExpressionErrors((asV1(object) as unknown as Claim).spec?.devices, 'spec.devices') : [],
  validateUpdate(object, old, { subresource }) {
    if (subresource !== 'status') return immutable(object.spec, old.spec, 'spec');
    return validateClaimStatus(asV1(object) as unknown as Claim, asV1(old) as unknown as Claim);
  },
};

export const resourceClaimTemplateStrategy: Strategy = {
  default(object) {
    const spec = childObject<object>(object, 'spec');
    childObject(spec, 'metadata');
    defaultClaim(childObject(spec, 'spec'));
  },
  validate(object) {
    return validateTemplate((asV1(object) as unknown as DeepReadonly<ResourceClaimTemplate>).spec);
  },
  async validateLater(object, old) {
    const { spec } = asV1(object) as unknown as DeepReadonly<ResourceClaimTemplate>;
    return old === undefined ? claimExpressionErrors(spec?.spec?.devices, 'spec.spec.devices') : [];
  },
  validateUpdate: (object, old) => [
    ...validateTemplate((asV1(object) as unknown as DeepReadonly<ResourceClaimTemplate>).spec),
    ...immutable(object.spec, old.spec, 'spec'),
  ],
};

function validateTemplate(spec: DeepReadonly<ResourceClaimTemplate>['spec']): field.FieldError[] {
  return [
    ...validateTemplateMetadata(spec?.metadata ?? {}, 'spec.metadata'),
    ...validateDeviceClaim(spec?.spec?.devices, 'spec.spec.devices'),
  ];
}

/** Claims made from a template get labels and annotations from it, and nothing else. */
function validateTemplateMetadata(
  metadata: NonNullable<DeepReadonly<ResourceClaimTemplate>['spec']['metadata']>,
  path: string,
): field.FieldError[] {
  const errors = [
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateLabels(metadata.labels, `${path}.labels`),
  ];
  for (const name of Object.keys(metadata)) {
    if (name === 'annotations' || name === 'labels' || metadata[name as keyof typeof metadata] === null) continue;
    // Upstream names the field of the Go struct.
    errors.push(field.forbidden(`${path}.${name === 'uid' ? 'uID' : name}`, 'cannot be set'));
  }
  return errors;
}

export const deviceClassStrategy: Strategy = {
  default(object) {
    childObject(object, 'spec');
  },
  validate: (object) => validateClass(object as unknown as DeepReadonly<DeviceClass>),
  validateUpdate: (object) => validateClass(object as unknown as DeepReadonly<DeviceClass>),
  validateLater(object) {
    const { spec } = object as unknown as DeepReadonly<DeviceClass>;
    return expressionErrors([['spec.selectors', spec?.selectors ?? []]]);
  },
  specChanged: (object, old) => !equalJSON(object.spec, old.spec),
};

function validateClass({ spec }: DeepReadonly<DeviceClass>): field.FieldError[] {
  const errors = [
    ...validateSelectors(spec?.selectors, 'spec.selectors'),
    ...validateEach(
      spec?.config,
      maxConfigs,
      ({ opaque }, path) => validateOpaque(opaque, `${path}.opaque`),
      'spec.config',
    ),
  ];
  const name = spec?.extendedResourceName;
  if (name !== undefined && name !== null && !isExtendedResource(name)) {
    errors.push(field.invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'));
  }
  return errors;
}

/** One device is what a request is for unless it says otherwise. */
function defaultClaim(spec: { devices?: { requests?: DeviceRequest[] } }): void {
  childObject(spec, 'devices');
  for (const request of spec.devices?.requests ?? []) {
    if (request.exactly) defaultDemand(request.exactly);
    for (const alternative of request.firstAvailable ?? []) defaultDemand(alternative);
    // v1beta1 has the fields of `exactly` in the request itself.
    if ('deviceClassName' in request) defaultDemand(request as Partial<ExactDeviceRequest>);
  }
}

function defaultDemand(demand: Partial<Pick<ExactDeviceRequest, 'allocationMode' | 'count' | 'tolerations'>>): void {
  defaultPlain(demand, 'allocationMode', 'ExactCount');
  if (demand.allocationMode === 'ExactCount') defaultPlain(demand, 'count', 1);
  for (const toleration of demand.tolerations ?? []) defaultPlain(toleration, 'operator', 'Equal');
}
