import { describe, expect, test } from 'vitest';
import { compileJSONPath } from './json-path.ts';
import { jsonPathPrinter, type PrinterColumn } from './json-path-printer.ts';

const object = {
  apiVersion: 'example.com/v1',
  kind: 'Fancy',
  metadata: {
    name: 'full',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2024-01-01T00:00:00Z',
    labels: { 'x.y/z': 'lab' },
  },
  spec: {
    n: 5,
    f: 1.5,
    list: ['l0', 'l1', 'l2'],
    o: { k: 'v' },
    conds: [
      { type: 'Other', status: 'No', weight: 1 },
      { type: 'Ready', status: 'Yes', weight: 2 },
    ],
  },
};

test.each<[string, unknown[]]>([
  ['.spec.n', [5]],
  ['$.spec.n', [5]],
  ['.spec.missing.deeper', []],
  ['.constructor', []],
  ['.metadata.labels.x\\.y/z', ['lab']],
  [".metadata.labels['x.y/z']", ['lab']],
  ['.spec.list[0]', ['l0']],
  ['.spec.list[-1]', ['l2']],
  ['.spec.list[9]', []],
  ['.spec.list[1:]', ['l1', 'l2']],
  ['.spec.list[0:3:2]', ['l0', 'l2']],
  ['.spec.list[*]', ['l0', 'l1', 'l2']],
  ['.spec.o.*', ['v']],
  ['.spec.conds[?(@.type=="Ready")].status', ['Yes']],
  [".spec.conds[?(@.type != 'Ready')].status", ['No']],
  ['.spec.conds[?(@.weight>1)].type', ['Ready']],
  ['.spec.conds[?(@.absent)].type', []],
  ['..weight', [1, 2]],
])('%s', (path, expected) => {
  expect(compileJSONPath(path)(object)).toEqual(expected);
});

test.each(['spec', '.spec[', '.spec[a]', '.spec[?(@.a==b)]', '.spec[1:2:3:4]'])('%s is malformed', (path) => {
  expect(() => compileJSONPath(path)).toThrow(SyntaxError);
});

describe('the printer of a custom resource', () => {
  const nowMs = Date.parse('2024-01-01T00:01:05Z');

  test('types its cells, null where there is no value', () => {
    const columns: PrinterColumn[] = [
      { name: 'N', type: 'integer', jsonPath: '.spec.n', description: 'd' },
      { name: 'F', type: 'number', jsonPath: '.spec.f' },
      { name: 'When', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      { name: 'All', type: 'string', jsonPath: '.spec.list', priority: 1 },
      { name: 'Map', type: 'string', jsonPath: '.spec.o' },
      { name: 'Wrong', type: 'integer', jsonPath: '.spec.o' },
      { name: 'None', type: 'string', jsonPath: '.spec.zzz' },
    ];
    const printer = jsonPathPrinter(columns);
    expect(printer.columns.map(({ name }) => name)).toEqual(['Name', 'N', 'F', 'When', 'All', 'Map', 'Wrong', 'None']);
    expect(printer.cells(object, nowMs)).toEqual(['full', 5, 1.5, '65s', '["l0","l1","l2"]', '{"k":"v"}', null, null]);
  });

  test('shows the age when it has no columns', () => {
    const printer = jsonPathPrinter();
    expect(printer.columns.map(({ name, type }) => [name, type])).toEqual([
      ['Name', 'string'],
      ['Age', 'date'],
    ]);
    expect(printer.cells(object, nowMs)).toEqual(['full', '65s']);
  });
});
