import { expect, test } from 'vitest';
import { AUTOUPDATE, bootstrapLevels, bootstrapSchemas } from './bootstrap-objects.ts';
import { changeOf } from './flow-objects.ts';

const suggested = bootstrapSchemas.find(({ name }) => name === 'service-accounts');
const mandatory = bootstrapSchemas.find(({ name }) => name === 'catch-all');
const exempt = bootstrapLevels.find(({ name }) => name === 'exempt');

type Wanted = NonNullable<typeof suggested>;

function present(
  wanted: { name: string; spec: object } | undefined,
  annotation?: string,
  spec: object = {},
  generation = 2,
) {
  const annotations = annotation === undefined ? {} : { [AUTOUPDATE]: annotation };
  const metadata = { name: wanted?.name ?? '', annotations, generation };
  return { metadata, spec: { ...wanted?.spec, ...spec } } as unknown as Parameters<typeof changeOf>[0];
}

const other = { matchingPrecedence: 77 };

test.each<[string, Wanted | undefined, string | undefined, object, number, string | undefined, number | undefined]>([
  ['as it should be', suggested, 'true', {}, 1, undefined, undefined],
  ['suggested, changed', suggested, 'true', other, 2, 'true', 9000],
  ['suggested, changed, the user’s', suggested, 'false', other, 2, undefined, undefined],
  ['suggested, changed before it was annotated', suggested, undefined, other, 2, 'false', 77],
  ['suggested, of an older server', suggested, undefined, other, 1, 'true', 9000],
  ['mandatory, changed, the user’s', mandatory, 'false', other, 2, 'true', 10_000],
])('%s', (_, wanted, annotation, spec, generation, wantedAnnotation, precedence) => {
  const change = changeOf(present(wanted, annotation, spec, generation), wanted as Wanted) as
    | { metadata: { annotations: Record<string, string> }; spec: { matchingPrecedence: number } }
    | undefined;
  expect(change?.metadata.annotations[AUTOUPDATE]).toBe(wantedAnnotation);
  expect(change?.spec.matchingPrecedence).toBe(precedence);
});

test('what the exempt level lends is the user’s choice', () => {
  const lending = { exempt: { nominalConcurrencyShares: 10, lendablePercent: 50 } };
  expect(changeOf(present(exempt, 'true', lending), exempt as never)).toBeUndefined();
});
