import { CriError } from '../../cri/index.ts';

/** Why an image was not pulled, as the container's waiting reason and message. */
export interface PullFailure {
  readonly reason: 'ErrImagePull' | 'RegistryUnavailable' | 'SignatureValidationFailed';
  readonly message: string;
}

/** What runtimes begin their texts with when it is not the image that is at fault. */
const SPECIAL = {
  RegistryUnavailable: 'the registry is unavailable',
  SignatureValidationFailed: 'the signature validation failed',
} as const;

/** The texts of the failed tries, each once; codes of the runtime are told unless they say nothing. */
export function pullErrorText(errors: readonly unknown[]): string {
  const texts = [...new Set(errors.map(errorText))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function errorText(error: unknown): string {
  if (error instanceof CriError && error.code === 'Unknown') return error.detail;
  return error instanceof Error ? error.message : String(error);
}

export function pullFailure(image: string, text: string): PullFailure {
  for (const reason of ['RegistryUnavailable', 'SignatureValidationFailed'] as const) {
    if (!text.startsWith(reason)) continue;
    const message = `image pull failed for ${image} because ${SPECIAL[reason]}${text.slice(reason.length)}`;
    return { reason, message };
  }
  return { reason: 'ErrImagePull', message: text };
}
