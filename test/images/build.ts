/**
 * Builds the images that the tests run, from Debian's busybox-static, without a network:
 *   scripts/node test/images/build.ts OUT-DIR
 * writes busybox.tar (busybox:test), busybox2.tar (busybox:test2) and k8s-demo.tar (an HTTP server on 8080).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImageArchive, type ImageFile } from '../../scripts/pause/oci-archive.ts';

const BUSYBOX = '/bin/busybox';

export interface TestImage {
  readonly file: string;
  readonly name: string;
}

export const TEST_IMAGES: readonly TestImage[] = [
  { file: 'busybox.tar', name: 'docker.io/library/busybox:test' },
  { file: 'busybox2.tar', name: 'docker.io/library/busybox:test2' },
  { file: 'k8s-demo.tar', name: 'docker.io/library/k8s-demo:0.0.1-SNAPSHOT' },
  { file: 'k8s-demo2.tar', name: 'docker.io/library/k8s-demo:0.0.2-SNAPSHOT' },
];

/** Writes the archives to `directory`; needs Debian's busybox-static. */
export async function buildTestImages(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const files = busyboxFiles();
  for (const { file, name } of TEST_IMAGES) {
    const demo = name.includes('k8s-demo');
    const version = name.slice(name.lastIndexOf(':') + 1);
    const archive = await buildImageArchive({
      names: [name],
      architecture,
      files: [...files, { path: '/etc/image-version', content: `${version}\n` }, ...(demo ? demoFiles(version) : [])],
      ...(name.endsWith(':test2') ? { entrypoint: ['/bin/echo'], cmd: ['image', 'arguments'] } : {}),
      ...(demo ? { cmd: ['/bin/demo'] } : {}),
      ...(name.endsWith(':test') ? { cmd: ['sh'] } : {}),
    });
    writeFileSync(join(directory, file), archive);
  }
}

function busyboxFiles(): ImageFile[] {
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  const directories = ['/bin', '/dev', '/etc', '/home', '/proc', '/root', '/sys', '/usr', '/usr/bin', '/var', '/www'];
  return [
    ...directories.map((path) => ({ path, directory: true })),
    { path: '/tmp', directory: true, mode: 0o1777 },
    { path: '/bin/busybox', content: readFileSync(BUSYBOX), mode: 0o755 },
    ...applets.filter((name) => name !== 'busybox').map((name) => ({ path: `/bin/${name}`, link: 'busybox' })),
    { path: '/usr/bin/env', link: '../../bin/busybox' },
    { path: '/etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n' },
    { path: '/etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
  ];
}

/** Answers every request on 8080 with its version and host name; ends at once, but cleanly, on SIGTERM. */
function demoFiles(version: string): ImageFile[] {
  const server = `#!/bin/sh
trap 'kill $server; exit 0' TERM
mkdir -p /www/cgi-bin
httpd -f -p 8080 -h /www &
server=$!
wait $server
`;
  const page = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s\\n' '${version}' "$(hostname)"
`;
  return [
    { path: '/bin/demo', content: server, mode: 0o755 },
    { path: '/www/cgi-bin', directory: true },
    { path: '/www/cgi-bin/index.cgi', content: page, mode: 0o755 },
    { path: '/www/cgi-bin/host', content: page, mode: 0o755 },
    { path: '/www/index.html', content: `${version}\n` },
    { path: '/www/hello', content: `${version}\n` },
  ];
}

if (process.argv[1] === import.meta.filename) {
  const out = process.argv[2];
  if (out === undefined) throw new Error('usage: scripts/node test/images/build.ts OUT-DIR');
  await buildTestImages(out);
}
