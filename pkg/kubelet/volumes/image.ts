import type { VolumePlugin } from './volume.ts';

/** The files of an image. They are brought to the node, and mounted, with the containers that want them. */
export const imageVolume: VolumePlugin = {
  directory: 'kubernetes.io~image',
  inMemory: false,
  supports: (source) => source.image !== undefined,
  setUp: async ({ dir }) => ({ hostPath: dir, readOnly: true }),
};
