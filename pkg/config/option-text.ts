import type { OptionSpec, OptionValue, OptionValues } from './option.ts';

/** A value as it would be written behind its flag; '' for one that is not set. */
export function optionText({ type }: OptionSpec, value: OptionValue | undefined): string {
  if (value === undefined) return '';
  if (type === 'duration') return `${Number(value) / 1000}s`;
  if (typeof value === 'object' && 'first' in value) return `${value.first}-${value.last}`;
  return String(value);
}

/** All settings by name as texts, for people who look into a running server; secrets are not told (upstream's flagz). */
export function optionTexts(specs: readonly OptionSpec[], values: OptionValues): Record<string, string> {
  return Object.fromEntries(
    specs.map((spec) => [spec.name, spec.secret === true ? 'CLASSIFIED' : optionText(spec, values[spec.name])]),
  );
}
