/** What the selectors of devices say: they are compiled, and may not cost too much. The engine is loaded for the first of them. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Environment } from '../cel/index.ts';
import type { DeviceClaim, DeviceSelector } from '../generated/types.ts';
import { deviceEnvironment, MAX_SELECTOR_COST } from '../scheduling/device-environment.ts';
import * as field from '../validation/field-error.ts';
import { byteLength } from '../validation/names.ts';
import { maxExpressionBytes } from './device-claim-validation.ts';

type Selectors = DeepReadonly<DeviceSelector[]>;

/** The errors of the selectors of a claim, whose devices are at `path`. */
export function claimExpressionErrors(
  claim: DeepReadonly<DeviceClaim> | undefined,
  path: string,
): Promise<field.FieldError[]> {
  const places: [string, Selectors][] = [];
  for (const [i, { exactly, firstAvailable }] of (claim?.requests ?? []).entries()) {
    const at = `${path}.requests[${i}]`;
    places.push([`${at}.exactly.selectors`, exactly?.selectors ?? []]);
    for (const [j, { selectors }] of (firstAvailable ?? []).entries())
      places.push([`${at}.firstAvailable[${j}].selectors`, selectors ?? []]);
  }
  return expressionErrors(places);
}

/** The errors of selectors by the paths of their lists. Texts that are too long are left to others. */
export async function expressionErrors(
  places: Iterable<readonly [path: string, selectors: Selectors]>,
): Promise<field.FieldError[]> {
  const errors: field.FieldError[] = [];
  let environment: Environment | undefined;
  for (const [path, selectors] of places) {
    for (const [i, { cel }] of selectors.entries()) {
      const { expression = '' } = cel ?? {};
      if (!cel || byteLength(expression) > maxExpressionBytes) continue;
      environment ??= await deviceEnvironment();
      errors.push(...errorsOf(environment, expression, `${path}[${i}].cel.expression`));
    }
  }
  return errors;
}

function errorsOf(environment: Environment, expression: string, path: string): field.FieldError[] {
  const compiled = environment.compile(expression);
  if ('issues' in compiled) return [field.invalid(path, expression, `compilation failed: ${compiled.message}`)];
  const { kind, name } = compiled.checked.type;
  if (kind !== 'bool' && kind !== 'dyn') {
    return [field.invalid(path, expression, `must evaluate to bool or the unknown type, not ${name}`)];
  }
  const isCheap = environment.estimateCost(compiled).max <= MAX_SELECTOR_COST;
  return isCheap ? [] : [field.forbidden(path, 'too complex, exceeds cost limit')];
}
