import { expect, test } from 'vitest';
import type { Event, Pod } from '../../api/generated/types.ts';
import { lastWarnings, podState } from './pod-states.ts';

const state = (status: object, annotations: Record<string, string> = {}): object =>
  podState({ metadata: { name: 'p', namespace: 'n', annotations }, status } as unknown as Pod);
const ready = (status: string): object[] => [{ type: 'Ready', status }];

test.each([
  [{}, { phase: 'Pending', ready: false, reason: '' }],
  [
    { phase: 'Running', conditions: ready('True') },
    { phase: 'Running', ready: true, reason: '' },
  ],
  [
    { phase: 'Running', conditions: ready('False') },
    { phase: 'Running', ready: false, reason: '' },
  ],
  [{ phase: 'Succeeded', conditions: ready('False') }, { ready: true }],
  [
    { phase: 'Failed', reason: 'NodePorts', message: 'taken' },
    { ready: false, reason: 'NodePorts: taken' },
  ],
  [
    {
      phase: 'Pending',
      containerStatuses: [
        { state: { waiting: { reason: 'ContainerCreating' } } },
        { state: { waiting: { reason: 'ErrImagePull', message: 'no such image\nmore' } } },
      ],
    },
    { ready: false, reason: 'ErrImagePull: no such image' },
  ],
])('%j', (status, expected) => {
  expect(state(status)).toMatchObject({ namespace: 'n', name: 'p', isStatic: false, ...expected });
});

test('a pod of which nothing runs yet says what was last warned of', () => {
  const event = (uid: string, lastTimestamp: string, reason: string): Event =>
    ({ involvedObject: { uid }, lastTimestamp, reason, message: `${reason} message\nmore` }) as unknown as Event;
  const warnings = lastWarnings([event('u', '2026-01-01T00:00:02Z', 'New'), event('u', '2026-01-01T00:00:01Z', 'Old')]);
  expect(warnings.get('u')).toBe('New: New message');
  const pod = (status: object): Pod => ({ metadata: { name: 'p', uid: 'u' }, status }) as unknown as Pod;
  expect(podState(pod({ phase: 'Pending' }), 'New: message').reason).toBe('New: message');
  expect(podState(pod({ phase: 'Running' }), 'New: message').reason).toBe('');
});

test('static pods are told from others', () => {
  expect(state({}, { 'kubernetes.io/config.mirror': 'x' })).toMatchObject({ isStatic: true });
});
