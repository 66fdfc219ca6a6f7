import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RequestError } from './requests.ts';

/** Names of volumes as the API has them: nothing that leads out of the directory. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Deletes what the volume `/localVolumes/NAME` holds; one that was never used is no error. */
export async function removeLocalVolume(path: readonly string[], directory: string | undefined): Promise<void> {
  const [name = '', ...more] = path;
  if (!NAME.test(name) || more.length > 0) throw new RequestError(400, 'the name of a volume is expected');
  if (directory === undefined) throw new RequestError(404, 'this node offers no local storage');
  await rm(join(directory, name), { recursive: true, force: true });
}
