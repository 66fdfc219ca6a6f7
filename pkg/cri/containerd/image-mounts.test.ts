import { expect, test } from 'vitest';
import { mountCommand, needsImageMounts, snapshotterOf } from './image-mounts.ts';

test('the snapshotter is known by its directory', () => {
  expect(snapshotterOf('/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs')).toBe('overlayfs');
  expect(() => snapshotterOf('/var/lib/containers/storage')).toThrow('is no directory of a snapshotter');
});

test.each([
  [
    'one layer is bound',
    { type: 'bind', source: '/c/snapshots/1/fs', options: ['ro', 'rbind'] },
    { args: ['-o', 'rbind,ro', '/c/snapshots/1/fs', '/t'] },
  ],
  [
    'layers are named from where they lie',
    { type: 'overlay', source: 'overlay', options: ['index=off', 'lowerdir=/c/snapshots/2/fs:/c/snapshots/1/fs'] },
    { args: ['-t', 'overlay', '-o', 'index=off,lowerdir=2/fs:1/fs,ro', 'overlay', '/t'], cwd: '/c/snapshots' },
  ],
  [
    'layers that have no directory in common',
    { type: 'overlay', source: 'overlay', options: ['lowerdir=/a/fs:/b/fs'] },
    { args: ['-t', 'overlay', '-o', 'lowerdir=/a/fs:/b/fs,ro', 'overlay', '/t'] },
  ],
  [
    'another file system',
    { type: 'erofs', source: '/d', options: [] },
    { args: ['-t', 'erofs', '-o', 'ro', '/d', '/t'] },
  ],
])('%s', (_, mount, command) => {
  expect(mountCommand(mount, '/t')).toEqual(command);
});

test.each([
  ['containerd', '1.6.20~ds1', true],
  ['containerd', 'v1.7.27', true],
  ['containerd', '2.0.5', true],
  ['containerd', 'v2.1.0', false],
  ['containerd', '3.0.0', false],
  ['cri-o', '1.33.0', false],
])('%s %s needs the node to mount images: %s', (runtimeName, runtimeVersion, needs) => {
  expect(needsImageMounts({ runtimeName, runtimeVersion })).toBe(needs);
});
