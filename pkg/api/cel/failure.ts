/** How an evaluation went wrong. */
export type CELErrorCode =
  /** The expression failed: `no such key: x`, `division by zero`. */
  | 'runtime'
  /** It would have cost more than allowed. */
  | 'cost';

/** An evaluation that gave no value. The message is cel-go's. */
export class CELError extends Error {
  override readonly name = 'CELError';
  readonly code: CELErrorCode;
  /** What had been spent. */
  readonly cost: number;

  constructor(code: CELErrorCode, message: string, cost: number) {
    super(message);
    this.code = code;
    this.cost = cost;
  }
}

/** A runtime failure on its way up; && and || may absorb it. Not an Error: it needs no stack, and they are slow to take. */
export class Failure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** The budget is gone; nothing absorbs it. */
export class CostExceeded {
  readonly message = 'operation cancelled: actual cost limit exceeded';
}

export function noSuchOverload(): never {
  throw new Failure('no such overload');
}
