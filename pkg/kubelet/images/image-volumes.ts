import { mkdir } from 'node:fs/promises';
import type { ImageMounts, ImageSpec, PodSandboxConfig } from '../../cri/index.ts';
import { podSubject } from '../container/container-events.ts';
import type { KubeletContext } from '../context.ts';
import type { Pod } from '../types.ts';
import { isMounted } from '../volumes/mount-table.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import { ImageError } from './image-manager.ts';
import { fullImageName, ImageNameError, parseImageName } from './image-name.ts';
import { pullCredentials } from './pod-pull-secrets.ts';

/** An image that is on the node, and how a container gets it: by the runtime, or as the volume's directory. */
export interface VolumeImage {
  readonly spec: ImageSpec;
  readonly mountedBy: 'runtime' | 'node';
}

/** By the name of the volume: its image, or why that is not there. */
export type VolumeImages = ReadonlyMap<string, VolumeImage | ImageError>;

export interface ImageVolumeInput {
  readonly pod: Pod;
  readonly sandbox: PodSandboxConfig;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
}

/**
 * Brings the images of a pod's volumes onto the node, and where the runtime cannot mount images into containers, onto the volumes'
 * directories. An image that cannot be had is a failure in the result: it only matters to the containers that mount it.
 */
export async function ensureVolumeImages(
  input: ImageVolumeInput,
  context: KubeletContext,
  signal: AbortSignal,
): Promise<VolumeImages> {
  const images = new Map<string, VolumeImage | ImageError>();
  for (const { name, image } of input.pod.spec.volumes ?? []) {
    if (image === undefined) continue;
    try {
      images.set(name, await ensureOne(name, image, input, context, signal));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      images.set(name, error);
    }
  }
  return images;
}

type ImageSource = NonNullable<NonNullable<Pod['spec']['volumes']>[number]['image']>;

async function ensureOne(
  name: string,
  { reference = '', pullPolicy = 'IfNotPresent' }: ImageSource,
  { pod, sandbox, volumes }: ImageVolumeInput,
  context: KubeletContext,
  signal: AbortSignal,
): Promise<VolumeImage> {
  const found = await context.images.ensure(
    {
      podUID: pod.metadata.uid,
      image: reference,
      policy: pullPolicy,
      sandbox,
      credentials: () => pullCredentials(pod, reference, context),
      event: (type, reason, message) => context.deps.recorder.event(podSubject(pod), type, reason, message),
    },
    signal,
  );
  const spec = { image: found.id, userSpecifiedImage: reference };
  const { imageMounts } = context;
  const target = volumes.get(name)?.hostPath;
  if (imageMounts === undefined || target === undefined) return { spec, mountedBy: 'runtime' };
  await mountOnce(imageMounts, found.id, imageMountKey(pod.metadata.uid, name), target, signal);
  return { spec, mountedBy: 'node' };
}

/** The full names of the images that volumes of these pods are made of. */
export function volumeImageNames(pods: Iterable<Pod>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { spec } of pods) {
    for (const { image } of spec.volumes ?? []) {
      const name = image?.reference === undefined ? undefined : fullNameOf(image.reference);
      if (name !== undefined) names.add(name);
    }
  }
  return names;
}

function fullNameOf(reference: string): string | undefined {
  try {
    return fullImageName(parseImageName(reference));
  } catch (error) {
    // Nothing is there by a name that is none.
    if (error instanceof ImageNameError) return undefined;
    throw error;
  }
}

/** What a mount is known by to the runtime. */
export function imageMountKey(podUID: string, volume: string): string {
  return `kube-lite/${podUID}/${volume}`;
}

/** A pod's volume keeps the image that it was given first. */
async function mountOnce(
  mounts: ImageMounts,
  image: string,
  key: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if (await isMounted(target)) return;
  await mkdir(target, { recursive: true, mode: 0o755 });
  await mounts.mount(image, key, target, signal);
}
