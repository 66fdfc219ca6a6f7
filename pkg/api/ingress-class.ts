import type { Ingress, IngressClass } from './generated/types.ts';
import type { DeepReadonly } from './object.ts';

/** `spec.controller` of the IngressClasses that kube-lite serves. */
export const INGRESS_CONTROLLER = 'kube-lite.io/ingress';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

const AUTH_TYPE = 'nginx.ingress.kubernetes.io/auth-type';
const AUTH_SECRET = 'nginx.ingress.kubernetes.io/auth-secret';

/** The Secret of the Ingress's namespace with the users who may come in by name and password. */
export function usersSecretOf({ metadata }: DeepReadonly<Ingress>): string | undefined {
  return metadata.annotations?.[AUTH_TYPE] === undefined ? undefined : metadata.annotations[AUTH_SECRET];
}

/** Whether whoever serves an Ingress needs a Secret of its namespace. */
export function needsSecret(ingress: DeepReadonly<Ingress>, name: string): boolean {
  return usersSecretOf(ingress) === name || (ingress.spec?.tls ?? []).some(({ secretName }) => secretName === name);
}

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
