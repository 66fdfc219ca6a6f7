import type { PluginHandle } from '../framework/handle.ts';
import { MAX_NODE_SCORE, type SchedulerPlugin } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';

const NAME = 'ImageLocality';
const MIB = 2 ** 20;
const MINIMUM_BYTES = 23 * MIB;
const MAXIMUM_BYTES_PER_IMAGE = 1000 * MIB;

/**
 * Prefers nodes that have the pod's images, by their size; images under 23 MiB do not count. An image counts the more the more
 * nodes have it, so that one lucky node does not draw every pod.
 */
export function imageLocality({ cluster }: Pick<PluginHandle, 'cluster'>): SchedulerPlugin {
  return {
    name: NAME,
    preScore(state, pod) {
      const wanted = imagesOf(pod);
      state.write(NAME, wanted);
      // Where nobody has any, all score the same.
      return !wanted.some((image) => cluster.nodesWithImage(image) > 0);
    },
    score(state, _pod, { images }) {
      if (images.size === 0) return 0;
      const wanted = state.read<readonly string[]>(NAME) ?? [];
      let present = 0;
      for (const image of wanted) {
        const sizeBytes = images.get(image);
        if (sizeBytes === undefined) continue;
        present += Math.floor((sizeBytes * cluster.nodesWithImage(image)) / cluster.nodes.length);
      }
      const maximum = MAXIMUM_BYTES_PER_IMAGE * wanted.length;
      const bounded = Math.min(Math.max(present, MINIMUM_BYTES), maximum);
      return Math.floor((MAX_NODE_SCORE * (bounded - MINIMUM_BYTES)) / (maximum - MINIMUM_BYTES));
    },
  };
}

/** Images of init containers count too. */
function imagesOf({ pod: { spec } }: PodInfo): string[] {
  const images = [...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => normalizedImage(image ?? ''));
  for (const { image } of spec.volumes ?? []) {
    if (image?.reference) images.push(normalizedImage(image.reference));
  }
  return images;
}

/** `busybox` is listed by nodes as `busybox:latest`. */
function normalizedImage(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') && !image.includes('@') ? `${image}:latest` : image;
}
