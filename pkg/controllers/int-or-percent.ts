/** A count, or a percentage of `total`; what is absent or not understood counts as 0. Upstream: GetScaledValueFromIntOrPercent. */
export function countOf(value: number | string | undefined, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const match = /^(\d+)%$/.exec(value ?? '');
  if (match === null) return 0;
  const exact = (Number(match[1]) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
