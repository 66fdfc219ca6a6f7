import { expect, test } from 'vitest';
import { YAMLLines, YAMLProblem } from './yaml-lines.ts';

test('fields have lines', async () => {
  const lines = await YAMLLines.parse('a: 1\nb:\n- c: 2\n  d: 3\nempty:\n', '1.2');
  expect(lines.value).toEqual({ a: 1, b: [{ c: 2, d: 3 }], empty: null });
  expect(['a', 'b[0].d', 'b[0].none', 'b[7].c', 'none', ''].map((field) => lines.lineOf(field))).toEqual([
    1, 4, 3, 3, 1, 1,
  ]);
});

test('what is no YAML has one too', async () => {
  const problem = YAMLLines.parse('a: 1\na: 2\n', '1.2');
  await expect(problem).rejects.toThrow(YAMLProblem);
  await expect(problem).rejects.toMatchObject({ line: 2, column: 1, message: 'Map keys must be unique' });
});
