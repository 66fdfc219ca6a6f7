/** One line of a CRI log file: `TIME STREAM TAG CONTENT`. */
export interface LogLine {
  readonly timestamp: string;
  readonly stream: 'stdout' | 'stderr';
  /** What the container wrote, with its newline unless the line was cut (`P`). */
  readonly content: Buffer;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Parses one whole line of a log file; undefined when it is no log line. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const partial = line.toString('latin1', second + 1, third).split(':')[0] === 'P';
  const hasNewline = line.at(-1) === NEWLINE;
  const end = partial && hasNewline ? line.length - 1 : line.length;
  return { timestamp: line.toString('latin1', 0, first), stream, content: line.subarray(third + 1, end) };
}
