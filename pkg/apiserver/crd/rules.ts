import type { FieldError } from '../../api/errors.ts';
import type { JSONSchemaProps } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';

/** The compiled x-kubernetes-validations of one schema. */
export interface Rules {
  validate(object: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject> | undefined): FieldError[];
}

export async function compileRules(_props: DeepReadonly<JSONSchemaProps>): Promise<Rules | undefined> {
  return undefined;
}
