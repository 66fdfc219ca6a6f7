import { expect, test } from 'vitest';
import { mountsBelow } from './mount-table.ts';

const MOUNTINFO = `22 1 252:0 / / rw,relatime - ext4 /dev/vda rw
40 22 0:30 / /data/pods/u1/volumes/a rw - tmpfs tmpfs rw
41 40 0:31 / /data/pods/u1/volumes/a/in\\040side rw - tmpfs tmpfs rw
42 22 0:32 / /data/pods/u10/volumes/a rw - tmpfs tmpfs rw
43 22 0:33 / /data/pods/u1/b rw - tmpfs tmpfs rw
44 43 0:34 / /data/pods/u1/b rw - tmpfs tmpfs rw
`;

test('finds what is mounted in a directory, the deepest first', () => {
  expect(mountsBelow(MOUNTINFO, '/data/pods/u1')).toEqual([
    '/data/pods/u1/volumes/a/in side',
    '/data/pods/u1/volumes/a',
    '/data/pods/u1/b',
    '/data/pods/u1/b',
  ]);
  expect(mountsBelow(MOUNTINFO, '/data/pods/u')).toEqual([]);
});
