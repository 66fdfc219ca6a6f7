/** What the selectors of devices say: they are compiled, and may not cost too much. The engine is loaded for the first of them. */
import type { DeepReadonly } from '../../base/json.ts';
import type { DeclType, Environment } from '../cel/index.ts';
import type { DeviceClaim, DeviceSelector } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { byteLength } from '../validation/names.ts';
import { maxExpressionBytes } from './device-claim-validation.ts';

type Selectors = DeepReadonly<DeviceSelector[]>;

/** Upstream's CELSelectorExpressionMaxCost. */
const MAX_COST = 1_000_000;
const MAX_ATTRIBUTES = 32;
const MAX_VALUE_LENGTH = 64;
const MAX_DRIVER_LENGTH = 63;

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
  const isCheap = environment.estimateCost(compiled).max <= MAX_COST;
  return isCheap ? [] : [field.forbidden(path, 'too complex, exceeds cost limit')];
}

/** The variable `device`, as large as a device can be. */
async function deviceEnvironment(): Promise<Environment> {
  const { bindingsLibrary, celTypes, Environment, kubernetesLibraries, HOST_TYPES, loadRegexEngine, objectOf } =
    await import('../cel/index.ts');
  const sized = (type: DeclType['type'], maxElements: number): DeclType => ({
    type,
    maxElements,
    minSerializedSize: 1,
  });
  const mapOf = (element: DeclType): DeclType => ({
    ...sized(celTypes.mapOf(celTypes.STRING, element.type), MAX_ATTRIBUTES),
    element,
  });
  const decl = objectOf(
    'kubernetes.DRADevice',
    new Map(
      Object.entries({
        driver: sized(celTypes.STRING, MAX_DRIVER_LENGTH),
        allowMultipleAllocations: sized(celTypes.BOOL, 0),
        attributes: mapOf(mapOf(sized(celTypes.DYN, MAX_VALUE_LENGTH))),
        capacity: mapOf(mapOf(sized(HOST_TYPES.quantity, 0))),
      }).map(([jsonName, of]) => [jsonName, { jsonName, decl: of, required: true }]),
    ),
  );
  return new Environment({
    variables: new Map([['device', { type: decl.type, decl }]]),
    libraries: [...kubernetesLibraries(await loadRegexEngine()), bindingsLibrary()],
  });
}
