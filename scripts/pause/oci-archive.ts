/** Builds OCI image archives (one layer, one platform) without any tool, reproducibly. */
import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';

export interface ImageFile {
  /** Absolute path inside the image. */
  readonly path: string;
  readonly content?: Uint8Array | string;
  readonly link?: string;
  readonly directory?: boolean;
  readonly mode?: number;
  /** A hard link to another path of the image. */
  readonly hardLink?: string;
}

export interface ImageOptions {
  /** Full names, for instance `docker.io/library/busybox:test`. */
  readonly names: readonly string[];
  readonly files: readonly ImageFile[];
  readonly architecture: 'amd64' | 'arm64';
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
}

export async function buildImageArchive(options: ImageOptions): Promise<Buffer> {
  const layer = await tarOf(options.files);
  const layerDigest = digestOf(layer);
  const config = json({
    architecture: options.architecture,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Env: options.env ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(options.entrypoint === undefined ? {} : { Entrypoint: options.entrypoint }),
      ...(options.cmd === undefined ? {} : { Cmd: options.cmd }),
      ...(options.user === undefined ? {} : { User: options.user }),
      ...(options.workingDir === undefined ? {} : { WorkingDir: options.workingDir }),
    },
    rootfs: { type: 'layers', diff_ids: [layerDigest] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'kube-lite' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: options.names.map((name) => ({
      ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
      platform: { architecture: options.architecture, os: 'linux' },
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
      },
    })),
  });
  const blobs = [layer, config, manifest].map((blob) => ({
    path: `/blobs/sha256/${digestOf(blob).slice('sha256:'.length)}`,
    content: blob,
  }));
  return tarOf([
    { path: '/oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: '/index.json', content: index },
    { path: '/blobs/sha256', directory: true },
    ...blobs,
  ]);
}

function descriptor(mediaType: string, blob: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digestOf(blob), size: blob.length };
}

function digestOf(blob: Buffer): string {
  return `sha256:${createHash('sha256').update(blob).digest('hex')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

async function tarOf(files: readonly ImageFile[]): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  for (const file of files) {
    const name = file.path.replace(/^\//, '');
    const header = { name, mtime: new Date(0), uid: 0, gid: 0 };
    if (file.directory === true) archive.entry({ ...header, type: 'directory', mode: file.mode ?? 0o755 });
    else if (file.link !== undefined) archive.entry({ ...header, type: 'symlink', linkname: file.link });
    else if (file.hardLink !== undefined) {
      archive.entry({ ...header, type: 'link', linkname: file.hardLink.replace(/^\//, '') });
    } else archive.entry({ ...header, mode: file.mode ?? 0o644 }, Buffer.from(file.content ?? ''));
  }
  archive.finalize();
  await collected;
  return Buffer.concat(chunks);
}
