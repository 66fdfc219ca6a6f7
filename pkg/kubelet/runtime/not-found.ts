import { isCriError } from '../../cri/index.ts';

/** What is gone already needs no removal. */
export async function ignoreNotFound(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isCriError(error, 'NotFound')) throw error;
  }
}
