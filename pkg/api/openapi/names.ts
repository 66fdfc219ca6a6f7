import type { ResourceType } from '../object.ts';
import { builtinPackage, builtinPackages } from '../schema/builtin.ts';

/** `core.v1.Pod` -> `io.k8s.api.core.v1.Pod`. */
export function openAPIName(packageType: string): string {
  const dot = packageType.lastIndexOf('.');
  const packageName = packageType.slice(0, dot);
  const fact = builtinPackages().find((one) => one.name === packageName);
  return `${fact?.openAPIPrefix ?? packageName}.${packageType.slice(dot + 1)}`;
}

/** What upstream names beside the structs of its packages. */
export const SCALAR_NAMES = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  raw: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  fields: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
  json: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
  patch: 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch',
} as const;

/** The name of a resource's type: upstream's for built-ins, `com.example.v1.Widget` for custom ones. */
export function typeNameOf(type: ResourceType, custom: boolean): string {
  if (!custom) {
    const packageName = builtinPackage(type.group, type.version);
    if (packageName !== undefined) return openAPIName(`${packageName}.${type.kind}`);
  }
  return `${type.group.split('.').reverse().join('.')}.${type.version}.${type.kind}`;
}

/** Where the types that all groups have in common are. */
export const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
