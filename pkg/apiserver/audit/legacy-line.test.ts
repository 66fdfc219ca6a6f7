import { expect, test } from 'vitest';
import type { EventFields } from './event.ts';
import { legacyLine } from './legacy-line.ts';

const fields: EventFields = {
  level: 'Metadata',
  auditID: 'id-1',
  stage: 'RequestReceived',
  requestURI: '/api/v1/pods?limit=5',
  verb: 'list',
  user: undefined,
  impersonatedUser: undefined,
  impersonationConstraint: '',
  sourceIPs: [],
  userAgent: 'kubectl',
  objectRef: undefined,
  responseStatus: undefined,
  requestObject: undefined,
  responseObject: undefined,
  requestReceivedTimestamp: '2026-01-02T03:04:05.120000Z',
  stageTimestamp: '',
  annotations: {},
};

test('a request of nobody that is not answered yet', () => {
  expect(legacyLine(fields)).toBe(
    '2026-01-02T03:04:05.12Z AUDIT: id="id-1" stage="RequestReceived" ip="<unknown>" method="list" user="<none>" groups="<none>" as="<self>" asgroups="<lookup>" user-agent="kubectl" namespace="<none>" uri="/api/v1/pods?limit=5" response="<deferred>"',
  );
});

test('somebody in place of somebody else', () => {
  const line = legacyLine({
    ...fields,
    user: { username: 'ann', groups: ['a', 'b'] },
    impersonatedUser: { username: 'joe', groups: ['c'] },
    sourceIPs: ['192.0.2.1', '192.0.2.2'],
    objectRef: { namespace: 'n' },
    responseStatus: { code: 403 },
    requestReceivedTimestamp: '2026-01-02T03:04:00.000000Z',
  });
  expect(line).toMatch(/^2026-01-02T03:04:00Z AUDIT: /);
  expect(line).toContain(
    String.raw`ip="192.0.2.1" method="list" user="ann" groups="\"a\",\"b\"" as="joe" asgroups="\"c\""`,
  );
  expect(line).toContain('namespace="n" uri="/api/v1/pods?limit=5" response="403"');
});
