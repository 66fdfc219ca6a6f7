/**
 * Replaces `$(NAME)` by the value of NAME; `$$` is a literal `$`; references to unknown names stay as they are. `unknown` is
 * called with each of those.
 */
export function expand(text: string, values: ReadonlyMap<string, string>, unknown?: (name: string) => void): string {
  if (!text.includes('$')) return text;
  let result = '';
  for (let at = 0; at < text.length; at++) {
    const next = text[at + 1];
    if (text[at] !== '$' || next === undefined) {
      result += text[at];
    } else if (next === '$') {
      result += '$';
      at++;
    } else if (next === '(') {
      const end = text.indexOf(')', at + 2);
      if (end < 0) {
        result += '$(';
        at++;
        continue;
      }
      const name = text.slice(at + 2, end);
      const value = values.get(name);
      if (value === undefined) unknown?.(name);
      result += value ?? `$(${name})`;
      at = end;
    } else {
      result += `$${next}`;
      at++;
    }
  }
  return result;
}
