import type { Integer } from '../../base/integers.ts';

/**
 * Why a body does not decode: `syntax` (not JSON or YAML), `type` (a value of the wrong type), `value` (a quantity, time, base64
 * text that does not read), `depth` (nested too deep).
 */
export type DecodeErrorCode = 'syntax' | 'type' | 'value' | 'depth';

/** A body that does not decode; the message is what a Go server says. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly code: DecodeErrorCode;
  /** The number of the wrong type that the message shows; how it was written is for those to tell who have the text. */
  readonly number: Integer | undefined;

  constructor(code: DecodeErrorCode, message: string, options?: { cause?: unknown; number?: Integer }) {
    super(message, options);
    this.code = code;
    this.number = options?.number;
  }
}
