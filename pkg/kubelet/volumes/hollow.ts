import type { VolumePlugin } from './volume.ts';

/** Stands for any kind of volume on a node that only pretends: there is nothing behind it. */
export const hollowVolume: VolumePlugin = {
  directory: 'hollow',
  inMemory: false,
  supports: () => true,
  setUp: async ({ dir }) => ({ hostPath: dir }),
};
