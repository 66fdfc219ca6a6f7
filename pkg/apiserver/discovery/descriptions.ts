import { zstdDecompressSync } from 'node:zlib';
import type { Describe } from '../../api/openapi/index.ts';

/** OpenAPI name of a type -> field -> description; '' is the type itself. */
type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Looks descriptions up in a table (JSON, compressed with zstd) that is read when the first is asked for. It takes more memory
 * than its occasional use is worth, so it may go at any time and is then read again.
 */
export function describer(read: () => Uint8Array | undefined = () => undefined): Describe {
  let held: WeakRef<Descriptions> | undefined;
  const table = (): Descriptions => {
    const known = held?.deref();
    if (known !== undefined) return known;
    const made = parse(read());
    held = new WeakRef(made);
    return made;
  };
  return (typeName, field = '') => {
    const type = table()[typeName];
    return type !== undefined && Object.hasOwn(type, field) ? type[field] : undefined;
  };
}

function parse(bytes: Uint8Array | undefined): Descriptions {
  if (bytes === undefined) return {};
  return JSON.parse(zstdDecompressSync(bytes).toString()) as Descriptions;
}
