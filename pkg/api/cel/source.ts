/** Something wrong with an expression, at an offset of its text (UTF-16 units). */
export interface Issue {
  readonly pos: number;
  readonly message: string;
}

/** Messages end with the issue that makes them longer than this. */
const MAX_MESSAGE = 64 * 1024;

/** Raised while an expression is read; carries all issues found. */
export class ParseFailure {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    this.issues = issues;
  }
}

/**
 * The issues as cel-go prints them: `ERROR: <input>:1:5: message`, the line, and a marker below the column. A negative
 * position belongs to the expression as a whole.
 */
export function formatIssues(text: string, issues: readonly Issue[]): string {
  const sorted = [...issues].sort((a, b) => a.pos - b.pos);
  const shown: string[] = [];
  let length = 0;
  for (const issue of sorted) {
    // Long lines are repeated with every issue.
    if (length > MAX_MESSAGE) break;
    const formatted = formatIssue(text, issue);
    shown.push(formatted);
    length += formatted.length;
  }
  return shown.join('\n');
}

function formatIssue(text: string, issue: Issue): string {
  if (issue.pos < 0) return `ERROR: <input>:-1:0: ${issue.message}`;
  const before = text.slice(0, issue.pos);
  const line = before.split('\n').length;
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineEnd = text.indexOf('\n', lineStart);
  const source = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).replaceAll('\t', ' ');
  const lead = [...text.slice(lineStart, issue.pos)];
  const marked = text.codePointAt(issue.pos) ?? 0;
  const dots = lead.map((char) => (isWide(char.codePointAt(0) ?? 0) ? '．' : '.')).join('');
  const pointer = isWide(marked) && issue.pos < text.length && marked !== 10 ? '＾' : '^';
  return `ERROR: <input>:${line}:${lead.length + 1}: ${issue.message}\n | ${source}\n | ${dots}${pointer}`;
}

function isWide(code: number): boolean {
  return code > 0x7f;
}
