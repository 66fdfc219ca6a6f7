import type { Ingress, IngressClass } from './generated/types.ts';
import type { DeepReadonly } from './object.ts';

/** `spec.controller` of the IngressClasses that kube-lite serves. */
export const INGRESS_CONTROLLER = 'kube-lite.io/ingress';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

/**
 * Whether an Ingress is ours: its class has our controller, or it has no class (and no other controller's class is the
 * default, which it would have got).
 */
export function isServedIngress(
  ingress: DeepReadonly<Ingress>,
  classOf: (name: string) => DeepReadonly<IngressClass> | undefined,
  classes: Iterable<DeepReadonly<IngressClass>>,
): boolean {
  const name = ingress.spec?.ingressClassName ?? ingress.metadata.annotations?.[CLASS_ANNOTATION];
  if (name !== undefined && name !== '') return classOf(name)?.spec?.controller === INGRESS_CONTROLLER;
  for (const { metadata, spec } of classes)
    if (metadata.annotations?.[DEFAULT_ANNOTATION] === 'true' && spec?.controller !== INGRESS_CONTROLLER) return false;
  return true;
}
