/** Mount points below any of `dirs`, deepest and latest first, from the text of /proc/self/mountinfo. */
export function mountPointsBelow(mountinfo: string, dirs: readonly string[]): string[] {
  const points: string[] = [];
  for (const line of mountinfo.split('\n')) {
    const field = line.split(' ')[4];
    if (field === undefined) continue;
    const point = field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (dirs.some((dir) => point === dir || point.startsWith(`${dir}/`))) points.push(point);
  }
  return points.reverse();
}
