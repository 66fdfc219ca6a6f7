/** A value as Go's field errors show it: strings quoted, numbers and booleans plain, anything else roughly as Go's %#v shows generic JSON. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return `[]interface {}{${value.map((item) => showValue(item)).join(', ')}}`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[string]interface {}{${members.map(([key, item]) => `${JSON.stringify(key)}:${showValue(item)}`).join(', ')}}`;
}
