/** Debian's kubectl 1.20, unpacked beside the one that is installed. */
import { join } from 'node:path';
import { unpacked } from '../software/debian.ts';

/** Downloads the package once and gives the path of its kubectl. */
export async function oldKubectl(): Promise<string> {
  return join(await unpacked('kubernetes-client'), 'usr/bin/kubectl');
}
