import { expect, test } from 'vitest';
import { fullImageName, parseImageName } from './image-name.ts';

test.each([
  ['busybox', 'busybox:latest', 'docker.io', 'library/busybox'],
  ['a/b:1', 'a/b:1', 'docker.io', 'a/b'],
  ['registry.example:5000/a/b', 'registry.example:5000/a/b:latest', 'registry.example:5000', 'a/b'],
  ['localhost/x:y', 'localhost/x:y', 'localhost', 'x'],
  [`a@sha256:${'0'.repeat(64)}`, `a@sha256:${'0'.repeat(64)}`, 'docker.io', 'library/a'],
])('%s', (image, reference, registry, repository) => {
  expect(parseImageName(image)).toEqual({ reference, registry, repository });
});

test.each(['Not A:Valid//Name', 'UPPER/case:1', 'a:bad tag', 'a@sha256:short', ''])('refuses %j', (image) => {
  expect(() => parseImageName(image)).toThrow(`couldn't parse image name "${image}": invalid reference format`);
});

test.each([
  ['busybox', 'docker.io/library/busybox:latest'],
  ['busybox:1', 'docker.io/library/busybox:1'],
  ['r:5000/a/b', 'r:5000/a/b:latest'],
  [`a/b:1@sha256:${'0'.repeat(64)}`, `docker.io/a/b@sha256:${'0'.repeat(64)}`],
])('%s is listed as %s', (image, full) => {
  expect(fullImageName(parseImageName(image))).toBe(full);
});
