import { parseExact } from '../../base/integers.ts';

/** Of one type, but for whole numbers of any size. */
type Scalar = string | number | bigint | boolean;

/** The node itself, then fields, keys, values and indexes. */
const KINDS = '.fkvi';
/** The order of values of different types: numbers, strings, booleans, lists, objects, null. */
const TYPES = ['number', 'string', 'boolean', 'list', 'object', 'null'];

interface Read {
  readonly element: string;
  /** What a key, value or index holds; the element itself for a field, and for the node itself. */
  readonly content: unknown;
}

/** Sorts path elements into the order in which upstream writes them: keys and values by what they hold, not as text. */
export function sortElements(elements: string[]): string[] {
  if (elements.length < 2) return elements;
  if (elements.every(isField)) return elements.sort();
  return elements
    .map(read)
    .sort(compareElements)
    .map(({ element }) => element);
}

/** Whether elements are in that order, told of fields only. */
export function areSorted(elements: readonly string[]): boolean {
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i] as string;
    if (!isField(element) || (i > 0 && (elements[i - 1] as string) >= element)) return false;
  }
  return true;
}

function isField(element: string): boolean {
  return element.startsWith('f:') || element === '.';
}

function read(element: string): Read {
  return { element, content: isField(element) ? element : parseExact(element.slice(2)) };
}

function compareElements(a: Read, b: Read): number {
  const [first = '', second = ''] = [a.element[0], b.element[0]];
  if (first !== second) return KINDS.indexOf(first) - KINDS.indexOf(second);
  if (first === 'k') return compareKeys(a.content as object, b.content as object);
  return compareValues(a.content, b.content);
}

/** Keys have their fields in the order of the names. */
function compareKeys(a: object, b: object): number {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  for (const [i, [name, value]] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    if (name !== other[0]) return name < other[0] ? -1 : 1;
    const order = compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareValues(a: unknown, b: unknown): number {
  const [left, right] = [typeOf(a), typeOf(b)];
  if (left !== right) return TYPES.indexOf(left) - TYPES.indexOf(right);
  if (left === 'list' || left === 'object') return compareScalars(JSON.stringify(a), JSON.stringify(b));
  return compareScalars(a as Scalar, b as Scalar);
}

function compareScalars(a: Scalar, b: Scalar): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'bigint' ? 'number' : typeof value;
}
