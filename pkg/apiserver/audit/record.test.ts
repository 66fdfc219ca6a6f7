import { expect, test } from 'vitest';
import { newStatus } from '../../api/errors.ts';
import { FakeClock } from '../../base/clock.ts';
import { Query } from '../request/query.ts';
import { parseRequestInfo } from '../request/request-info.ts';
import type { AuditEvent } from './event.ts';
import type { AuditDecision, Level } from './policy.ts';
import { AuditRecord } from './record.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into any event
type Any = any;

function record(level: Level, more: Partial<AuditDecision> = {}, path = '/api/v1/namespaces/a/configmaps') {
  const clock = new FakeClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  const events: AuditEvent[] = [];
  const audit = new AuditRecord(
    {
      auditID: 'id-1',
      requestURI: `${path}?x=y`,
      info: parseRequestInfo('POST', path, Query.empty),
      user: { username: 'jane', groups: ['dev'] },
      sourceIPs: ['192.0.2.1'],
      userAgent: 'kubectl/v1',
    },
    { level, omitStages: [], omitManagedFields: false, ...more },
    { clock, emit: (event) => void events.push(event), rejected: () => {} },
  );
  return { audit, clock, read: (): Any[] => events.map(({ json }) => JSON.parse(json)) };
}

const map = { metadata: { name: 'm', managedFields: [{ manager: 'x' }] }, data: { a: 'b' } };

test('an event has upstream’s shape', async () => {
  const { audit, clock, read } = record('Request');
  void audit.received();
  audit.impersonating({ username: 'joe', groups: [] }, 'impersonate:user-info');
  audit.requested(map);
  audit.answered(() => expect.fail('nobody asked for the answer'));
  await clock.advance(600);
  void audit.complete(201, new Map([['authorization.k8s.io/decision', 'allow']]));
  const about = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Request',
    auditID: 'id-1',
    requestURI: '/api/v1/namespaces/a/configmaps?x=y',
    verb: 'create',
    user: { username: 'jane', groups: ['dev'] },
    sourceIPs: ['192.0.2.1'],
    userAgent: 'kubectl/v1',
    requestReceivedTimestamp: '2026-01-02T03:04:05.678000Z',
  };
  const objectRef = { resource: 'configmaps', namespace: 'a', apiVersion: 'v1' };
  expect(read()).toEqual([
    { ...about, objectRef, stage: 'RequestReceived', stageTimestamp: '2026-01-02T03:04:05.678000Z' },
    {
      ...about,
      objectRef: { ...objectRef, name: 'm' },
      stage: 'ResponseComplete',
      impersonatedUser: { username: 'joe', groups: [] },
      authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
      requestObject: map,
      responseStatus: { metadata: {}, code: 201 },
      stageTimestamp: '2026-01-02T03:04:06.278000Z',
      annotations: { 'authorization.k8s.io/decision': 'allow', 'apiserver.latency.k8s.io/total': '600.000ms' },
    },
  ]);
});

test.each<[Level, boolean, boolean]>([
  ['Metadata', false, false],
  ['Request', true, false],
  ['RequestResponse', true, true],
])('level %s', (level, request, response) => {
  const { audit, read } = record(level, { omitManagedFields: true });
  audit.requested(map);
  audit.answered(() => ({ items: [map] }));
  void audit.complete(200, new Map());
  const [event] = read();
  const bare = { metadata: { name: 'm' }, data: { a: 'b' } };
  expect(event.requestObject).toEqual(request ? bare : undefined);
  expect(event.responseObject).toEqual(response ? { items: [bare] } : undefined);
});

test('stages are left out, and a refusal is told', () => {
  const { audit, read } = record('Metadata', { omitStages: ['RequestReceived'] });
  void audit.received();
  audit.ended(newStatus(403, 'Forbidden', 'no'));
  void audit.complete(403, new Map());
  expect(read()).toMatchObject([
    { stage: 'ResponseComplete', responseStatus: { status: 'Failure', message: 'no', reason: 'Forbidden', code: 403 } },
  ]);
});

test('an object that changes later is recorded as it was', () => {
  const { audit, read } = record('Request');
  const object = { metadata: { name: 'm' }, spec: { a: 1 } };
  audit.requested(object);
  object.spec.a = 2;
  void audit.complete(200, new Map());
  expect(read()[0].requestObject.spec).toEqual({ a: 1 });
});

test('who cannot be recorded to arrive is told, and counted; later stages do not matter', async () => {
  let rejected = 0;
  const audit = new AuditRecord(
    {
      auditID: 'id-1',
      requestURI: '/version',
      info: parseRequestInfo('GET', '/version', Query.empty),
      user: undefined,
      sourceIPs: [],
      userAgent: '',
    },
    { level: 'Metadata', omitStages: [], omitManagedFields: false },
    { clock: new FakeClock(), emit: () => Promise.reject(new Error('full')), rejected: () => rejected++ },
  );
  await expect(audit.received()).rejects.toThrow('full');
  expect(await audit.complete(200, new Map())).toBeUndefined();
  expect(rejected).toBe(1);
});
