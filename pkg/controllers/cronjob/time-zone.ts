/** A wall clock reading; months count from 1, weekdays from Sunday = 0. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

/** Converts between instants and the wall clock of an IANA time zone. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat | undefined;

  /** Throws RangeError for names that are no time zone. */
  constructor(name: string) {
    this.#format =
      name === 'UTC' || name === 'Etc/UTC'
        ? undefined
        : new Intl.DateTimeFormat('en-US', {
            timeZone: name,
            hourCycle: 'h23',
            year: 'numeric',
            month: 'numeric',
            day: 'numeric',
            hour: 'numeric',
            minute: 'numeric',
            second: 'numeric',
          });
  }

  /** Milliseconds that the wall clock is ahead of UTC at an instant. */
  offsetMs(ms: number): number {
    if (this.#format === undefined) return 0;
    const parts = new Map(this.#format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return wall - Math.floor(ms / 1000) * 1000;
  }

  wallTime(ms: number): WallTime {
    const wall = new Date(ms + this.offsetMs(ms));
    return {
      year: wall.getUTCFullYear(),
      month: wall.getUTCMonth() + 1,
      day: wall.getUTCDate(),
      hour: wall.getUTCHours(),
      minute: wall.getUTCMinutes(),
      weekday: wall.getUTCDay(),
    };
  }
}
