/** One of the media types of an Accept header, wildcards among them, as it is written, with its parameters. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The media types of an Accept header, the most wanted first. */
export function mediaRanges(accept: string): readonly MediaRange[] {
  const list = accept.split(',').map((text) => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = new Map<string, string>();
    for (const part of rest) {
      const equals = part.indexOf('=');
      if (equals > 0) parameters.set(part.slice(0, equals).toLowerCase(), part.slice(equals + 1).replaceAll('"', ''));
    }
    return { type, parameters, quality: Number(parameters.get('q') ?? 1) || 0 };
  });
  return list.some(({ quality }) => quality !== 1) ? list.sort((a, b) => b.quality - a.quality) : list;
}
