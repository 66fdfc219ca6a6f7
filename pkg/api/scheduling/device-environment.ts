import type { DeclType, Environment } from '../cel/index.ts';

/** What one evaluation may cost. Upstream's CELSelectorExpressionMaxCost. */
export const MAX_SELECTOR_COST = 1_000_000;
const MAX_ATTRIBUTES = 32;
const MAX_VALUE_LENGTH = 64;
const MAX_DRIVER_LENGTH = 63;

/** What selectors of devices may say: the variable `device`, as large as a device can be. Loads the engine. */
export async function deviceEnvironment(): Promise<Environment> {
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
