import type { Document, LineCounter } from 'yaml';

/** What is wrong with a text that is no YAML, and in which line. */
export class YAMLProblem extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** A YAML or JSON document that knows where its fields stand. */
export class YAMLLines {
  readonly #document: Document;
  readonly #lines: LineCounter;

  private constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** Throws YAMLProblem. The library is loaded when there is something to read. */
  static async parse(text: string, version: '1.1' | '1.2'): Promise<YAMLLines> {
    const { LineCounter: Lines, parseDocument } = await import('yaml');
    const lines = new Lines();
    const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version });
    const [first] = document.errors;
    if (first !== undefined) {
      const { line, col } = lines.linePos(first.pos[0]);
      const message = first.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? first.code;
      throw new YAMLProblem(message, line, col);
    }
    return new YAMLLines(document as unknown as Document, lines);
  }

  get value(): unknown {
    return this.#document.toJS();
  }

  /** The line of a field (`profiles[0].schedulerName`), or of the nearest one above it that is there. */
  lineOf(field: string): number {
    const path = (field.match(/[^.[\]]+/g) ?? []).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    for (let length = path.length; length > 0; length--) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true);
      const offset = (node as { readonly range?: readonly number[] | null } | undefined)?.range?.[0];
      if (offset !== undefined) return this.#lines.linePos(offset).line;
    }
    return 1;
  }
}
