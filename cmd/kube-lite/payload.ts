import { getAsset, getRawAsset, isSea } from 'node:sea';
import { type Payload, unpackPayload } from '../../pkg/daemon/payload.ts';
import { UserError } from './errors.ts';

declare global {
  /** Where scripts/build's bundle finds LevelDB's addon. */
  var __kubeLiteAddonPath: string | undefined;
}

/** Unpacks what travels inside the executable (once), and makes the storage addon loadable. */
export async function openPayload(dataDir: string): Promise<Payload> {
  if (!isSea())
    throw new UserError('the server runs from the built executable only; run scripts/build, then dist/kube-lite');
  const { digest } = JSON.parse(getAsset('payload.json', 'utf8')) as { digest: string };
  const payload = await unpackPayload({
    digest,
    archive: () => new Uint8Array(getRawAsset('payload.tar.zst') as ArrayBuffer),
    dataDir,
  });
  globalThis.__kubeLiteAddonPath = payload.addonPath;
  return payload;
}

/** What `kubectl explain` says of types and fields; made by scripts/build, absent when running from source. */
export function descriptionsAsset(): Uint8Array | undefined {
  return isSea() ? new Uint8Array(getRawAsset('descriptions.json.zst') as ArrayBuffer) : undefined;
}
