import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../build.d/compile.ts';
import { buildImageArchive } from './oci-archive.ts';

/** The name must be that of PAUSE_IMAGE in pkg/cri. */
const NAME = 'docker.io/kube-lite/pause:1';

/** Compiles pause.c and probe.c statically (in `workDir`) and returns the OCI archive of an image that holds only them. */
export async function buildPauseImage(workDir: string): Promise<Buffer> {
  mkdirSync(workDir, { recursive: true });
  const files = ['pause', 'probe'].map((program) => {
    const binary = join(workDir, program);
    compile([join(import.meta.dirname, `${program}.c`)], binary);
    return { path: `/${program}`, content: readFileSync(binary), mode: 0o755 };
  });
  return buildImageArchive({
    names: [NAME],
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    files,
    entrypoint: ['/pause'],
    user: '65535:65535',
  });
}
