const UNITS: Readonly<Record<string, number>> = { h: 3_600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 };

/** Nanoseconds of a meta.v1.Duration, which JSON has in Go's form: `1m30s`. 0 for what is none. */
export function durationNanos(text: string): number {
  if (!/^-?(?:\d+(?:\.\d+)?(?:h|ms|m|us|µs|s|ns))+$/.test(text)) return 0;
  let nanos = 0;
  for (const [, amount = '0', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)) {
    nanos += Number(amount) * (UNITS[unit] ?? 0);
  }
  return Math.round(text.startsWith('-') ? -nanos : nanos);
}

/** Nanoseconds in Go's form (time.Duration.String): `1h0m5s`, `1.5s`, `20ms`, `0s`. */
export function durationText(nanos: number): string {
  const rest = Math.abs(nanos);
  const sign = nanos < 0 ? '-' : '';
  if (rest === 0) return '0s';
  if (rest < 1e9) {
    const unit = rest < 1e3 ? 'ns' : rest < 1e6 ? 'µs' : 'ms';
    return `${sign}${rest / (UNITS[unit] ?? 1)}${unit}`;
  }
  const minutes = Math.floor(rest / 60e9);
  const seconds = `${(rest - minutes * 60e9) / 1e9}s`;
  if (minutes === 0) return `${sign}${seconds}`;
  return minutes < 60
    ? `${sign}${minutes}m${seconds}`
    : `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}
