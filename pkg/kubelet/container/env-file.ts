/** A file of environment variables that does not keep to its format. */
export class EnvFileError extends Error {
  override readonly name = 'EnvFileError';
}

/**
 * The value of `key` in a file of `NAME='value'` lines; '' when it has none. A value may go over several lines and is taken as
 * it stands; blank lines and comments are left out. Upstream's subset of the shell: every assignment before the one that is
 * wanted must keep to it. Pure. Throws an EnvFileError.
 */
export function envFileValue(text: string, key: string): string {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').replace(/^[ \t]+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const { name, rest } = assignment(line, index);
    // As in a shell: what follows after a blank is no longer the value.
    if (/^[ \t]/.test(rest)) {
      if (name === key) return '';
      continue;
    }
    if (!rest.startsWith("'")) throw invalid(index, 'value must be enclosed in single quotes');
    const quoted = quotedValue(lines, index, rest.slice(1));
    if (name === key) return quoted.value;
    index = quoted.lastIndex;
  }
  return '';
}

function assignment(line: string, index: number): { name: string; rest: string } {
  const equals = line.indexOf('=');
  if (equals < 0) throw invalid(index, "missing '='");
  const name = line.slice(0, equals);
  if (name.trim() === '') throw invalid(index, 'empty variable name');
  if (/[ \t]$/.test(name)) throw invalid(index, "whitespace before '=' is not allowed");
  return { name, rest: line.slice(equals + 1) };
}

function quotedValue(
  lines: readonly string[],
  first: number,
  start: string,
): { readonly value: string; readonly lastIndex: number } {
  const parts: string[] = [];
  let rest = start;
  for (let index = first; ; index++) {
    const end = rest.indexOf("'");
    if (end >= 0) {
      const after = rest.slice(end + 1).replace(/^[ \t]+/, '');
      if (after !== '' && !after.startsWith('#')) throw invalid(index, 'unexpected content after closing quote');
      return { value: [...parts, rest.slice(0, end)].join('\n'), lastIndex: index };
    }
    parts.push(rest);
    const next = lines[index + 1];
    if (next === undefined) throw new EnvFileError(`line ${first + 1}: unclosed single quote`);
    rest = next;
  }
}

function invalid(index: number, why: string): EnvFileError {
  return new EnvFileError(`line ${index + 1}: ${why}`);
}
