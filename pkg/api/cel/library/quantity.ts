import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  QuantityError,
  quantityOf,
  subtractQuantities,
} from '../../quantity.ts';
import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import type { HostValue } from '../values.ts';
import { Host } from './host-values.ts';

type QuantityValue = Host<Quantity>;
const TYPE = 'kubernetes.Quantity';
const NANO = 1_000_000_000n;
const MAX_INT = 2n ** 63n - 1n;

/** quantity(), isQuantity() and the arithmetic of quantities. */
export function quantityLibrary(): Library {
  const compare = (a: QuantityValue, b: QuantityValue): number => compareQuantities(a.payload, b.payload);
  return {
    name: 'kubernetes.quantity',
    overloads: [
      overload('string_to_quantity', `quantity(string) ${TYPE}`, (text: string) => wrap(read(text))),
      overload('is_quantity_string', 'isQuantity(string) bool', isQuantity),
      overload('quantity_sign', `${TYPE}#sign() int`, ({ payload }: QuantityValue) =>
        payload.nano > 0n ? 1n : payload.nano < 0n ? -1n : 0n,
      ),
      overload(
        'quantity_is_greater_than',
        `${TYPE}#isGreaterThan(${TYPE}) bool`,
        (a: QuantityValue, b: QuantityValue) => compare(a, b) > 0,
      ),
      overload(
        'quantity_is_less_than',
        `${TYPE}#isLessThan(${TYPE}) bool`,
        (a: QuantityValue, b: QuantityValue) => compare(a, b) < 0,
      ),
      overload('quantity_compare_to', `${TYPE}#compareTo(${TYPE}) int`, (a: QuantityValue, b: QuantityValue) =>
        BigInt(compare(a, b)),
      ),
      overload(
        'quantity_get_float',
        `${TYPE}#asApproximateFloat() double`,
        ({ payload }: QuantityValue) => Number(payload.nano) / 1e9,
      ),
      overload('quantity_get_int', `${TYPE}#asInteger() int`, ({ payload }: QuantityValue) => {
        if (!isInteger(payload)) throw new Failure('cannot convert value to integer');
        return payload.nano / NANO;
      }),
      overload('quantity_is_integer', `${TYPE}#isInteger() bool`, ({ payload }: QuantityValue) => isInteger(payload)),
      overload('quantity_add', `${TYPE}#add(${TYPE}) ${TYPE}`, (a: QuantityValue, b: QuantityValue) =>
        wrap(addQuantities(a.payload, b.payload)),
      ),
      overload('quantity_add_int', `${TYPE}#add(int) ${TYPE}`, (a: QuantityValue, b: bigint) =>
        wrap(addQuantities(a.payload, quantityOf(b))),
      ),
      overload('quantity_sub', `${TYPE}#sub(${TYPE}) ${TYPE}`, (a: QuantityValue, b: QuantityValue) =>
        wrap(subtractQuantities(a.payload, b.payload)),
      ),
      overload('quantity_sub_int', `${TYPE}#sub(int) ${TYPE}`, (a: QuantityValue, b: bigint) =>
        wrap(subtractQuantities(a.payload, quantityOf(b))),
      ),
    ],
  };
}

function wrap(quantity: Quantity): QuantityValue {
  return new Host('quantity', quantity, String(quantity.nano));
}

/** A quantity that is data, as expressions see it. Throws a Failure. */
export function quantityValue(text: string): HostValue {
  return wrap(read(text));
}

function read(text: string): Quantity {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new Failure(error.message);
    throw error;
  }
}

function isQuantity(text: string): boolean {
  try {
    formatQuantity(read(text));
    return true;
  } catch {
    return false;
  }
}

function isInteger(quantity: Quantity): boolean {
  return quantity.nano % NANO === 0n && quantity.nano / NANO <= MAX_INT && quantity.nano / NANO >= -MAX_INT - 1n;
}
