/** A class that can be marked as the default by an annotation. */
export interface Candidate {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** The name of the default class; of several the newest, then the first by name. */
export function newestDefault(candidates: Iterable<Candidate>, annotations: readonly string[]): string | undefined {
  let found: Candidate['metadata'] | undefined;
  for (const { metadata } of candidates) {
    if (!annotations.some((annotation) => metadata.annotations?.[annotation] === 'true')) continue;
    if (found === undefined || isBefore(metadata, found)) found = metadata;
  }
  return found?.name;
}

function isBefore(a: Candidate['metadata'], b: Candidate['metadata']): boolean {
  return a.creationTimestamp === b.creationTimestamp ? a.name < b.name : a.creationTimestamp > b.creationTimestamp;
}
