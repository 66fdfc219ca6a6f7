/** Kinds of extensions/v1beta1: old defaults, and the rules of the kinds that they became. */
import { ingressFromExtensions } from '../convert/extensions-ingress.ts';
import type { Strategy } from '../definition.ts';
import type { ExtensionsV1beta1Deployment, ExtensionsV1beta1Ingress } from '../generated/types.ts';
import { defaultDeploymentSpec, deploymentStrategy, validateDeploymentUpdate } from './deployment.ts';
import { ingressStrategy } from './ingress.ts';
import { childObject, defaultPointer, isZero } from './shape.ts';

const noLimit = 2_147_483_647;

type Deployment = ExtensionsV1beta1Deployment;

export const extensionsDeploymentStrategy: Strategy = {
  ...deploymentStrategy,
  default(object) {
    const spec = childObject<NonNullable<Deployment['spec']>>(object, 'spec');
    const labels = spec.template?.metadata?.labels;
    if (labels && !isZero(labels)) {
      if (!spec.selector) spec.selector = { matchLabels: { ...labels } };
      if (isZero(object.metadata.labels)) object.metadata.labels = { ...labels };
    }
    defaultPointer(spec, 'revisionHistoryLimit', noLimit);
    defaultPointer(spec, 'progressDeadlineSeconds', noLimit);
    defaultDeploymentSpec(spec, 1);
    childObject(object, 'status');
  },
  validateUpdate: (object, old, { subresource }) => validateDeploymentUpdate(object, old, subresource),
};

export const extensionsIngressStrategy: Strategy = {
  ...ingressStrategy,
  default(object) {
    ingressStrategy.default?.(object);
    for (const rule of (object as unknown as ExtensionsV1beta1Ingress).spec?.rules ?? []) {
      for (const path of rule.http?.paths ?? []) defaultPointer(path, 'pathType', 'ImplementationSpecific');
    }
  },
  validate: (object, context) => ingressStrategy.validate?.(ingressFromExtensions(object), context) ?? [],
  validateUpdate: (object, old, context) =>
    ingressStrategy.validateUpdate?.(ingressFromExtensions(object), ingressFromExtensions(old), context) ?? [],
};
