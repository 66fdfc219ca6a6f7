import { stringify as stringifyYAML } from 'yaml';

/** A JSON value for programs, on a line of its own, or for people. */
export function jsonText(value: unknown, pretty: boolean): string {
  return pretty ? JSON.stringify(value, undefined, 2) : `${JSON.stringify(value)}\n`;
}

/** A JSON value as YAML. */
export function yamlText(value: unknown): string {
  return stringifyYAML(value, { aliasDuplicateObjects: false, lineWidth: 0, sortMapEntries: true, version: '1.1' });
}
