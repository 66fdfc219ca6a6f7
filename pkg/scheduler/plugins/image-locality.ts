import { MAX_NODE_SCORE, type SchedulerPlugin } from '../framework/framework.ts';

const MIB = 2 ** 20;
const MINIMUM_BYTES = 23 * MIB;
const MAXIMUM_BYTES_PER_CONTAINER = 1000 * MIB;

/** Prefers nodes that have the pod's images, by their size; images under 23 MiB do not count. */
export const imageLocality: SchedulerPlugin = {
  name: 'ImageLocality',
  score(_state, { pod }, { images }) {
    if (images.size === 0) return 0;
    let present = 0;
    for (const { image } of pod.spec.containers) present += images.get(normalizedImage(image ?? '')) ?? 0;
    const maximum = MAXIMUM_BYTES_PER_CONTAINER * pod.spec.containers.length;
    const bounded = Math.min(Math.max(present, MINIMUM_BYTES), maximum);
    return Math.floor((MAX_NODE_SCORE * (bounded - MINIMUM_BYTES)) / (maximum - MINIMUM_BYTES));
  },
};

/** `busybox` is listed by nodes as `busybox:latest`. */
function normalizedImage(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') && !image.includes('@') ? `${image}:latest` : image;
}
