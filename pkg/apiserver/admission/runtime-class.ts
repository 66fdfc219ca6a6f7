import { resources } from '../../api/generated/resources.ts';
import type { RuntimeClass } from '../../api/generated/types.ts';
import { compareQuantity } from '../../api/validation/quantity.ts';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin, ObjectReader } from '../contract.ts';
import { forPods, podOf, refuse } from './refuse.ts';

/** Adds a runtime class's overhead, node selector and tolerations to its pods. */
export function runtimeClass({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  const find = (attributes: AdmissionAttributes): DeepReadonly<RuntimeClass> | undefined => {
    const name = podOf(attributes).spec.runtimeClassName ?? '';
    if (name === '') return undefined;
    const found = reader.get(resources.runtimeclasses, { name });
    if (found === undefined) throw refuse(attributes, `pod rejected: RuntimeClass "${name}" not found`);
    return found;
  };
  return {
    name: 'RuntimeClass',
    ...forPods('CREATE'),
    admit(attributes) {
      const found = find(attributes);
      if (found === undefined) return;
      setOverhead(attributes, found);
      setScheduling(attributes, found);
    },
    validate(attributes) {
      const found = find(attributes);
      const { overhead } = podOf(attributes).spec;
      if (found === undefined ? overhead !== undefined && Object.keys(overhead).length > 0 : false)
        throw refuse(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      if (found !== undefined && !sameAmounts(overhead ?? {}, found.overhead?.podFixed ?? {}))
        throw refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    },
  };
}

function setOverhead(attributes: AdmissionAttributes, found: DeepReadonly<RuntimeClass>): void {
  const { spec } = podOf(attributes);
  const wanted = found.overhead?.podFixed;
  if (wanted === undefined) return;
  if (spec.overhead !== undefined && Object.keys(spec.overhead).length > 0 && !sameAmounts(spec.overhead, wanted))
    throw refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  spec.overhead = { ...wanted };
}

function setScheduling(attributes: AdmissionAttributes, found: DeepReadonly<RuntimeClass>): void {
  const { spec } = podOf(attributes);
  const { nodeSelector, tolerations } = found.scheduling ?? {};
  if (nodeSelector !== undefined && Object.keys(nodeSelector).length > 0) {
    for (const [key, value] of Object.entries(nodeSelector)) {
      const own = spec.nodeSelector?.[key];
      if (own !== undefined && own !== value)
        throw refuse(
          attributes,
          `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
        );
    }
    spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
  }
  const present = spec.tolerations ?? [];
  const missing = (tolerations ?? []).filter((toleration) => !present.some((own) => equalJSON(own, toleration)));
  if (missing.length > 0) spec.tolerations = [...present, ...missing.map((toleration) => ({ ...toleration }))];
}

function sameAmounts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every(
    (name) => a[name] !== undefined && b[name] !== undefined && compareQuantity(a[name], b[name]) === 0,
  );
}
