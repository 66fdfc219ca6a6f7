import { readFile } from 'node:fs/promises';

/** What went through one network interface since it was made. */
export interface InterfaceUsage {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** The interfaces, but for the loopback one, that a process has; none when it has ended. */
export async function networkUsage(pid: number | 'self'): Promise<InterfaceUsage[]> {
  const text = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => '');
  return parseNetworkDevices(text);
}

/** The kernel's table of interfaces: two lines of headings, then `name: 8 numbers received, 8 numbers sent`. */
export function parseNetworkDevices(text: string): InterfaceUsage[] {
  const found: InterfaceUsage[] = [];
  for (const line of text.split('\n').slice(2)) {
    const colon = line.lastIndexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim();
    if (name === '' || name === 'lo') continue;
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const at = (index: number): number => numbers[index] ?? 0;
    found.push({
      name,
      rxBytes: at(0),
      rxPackets: at(1),
      rxErrors: at(2),
      rxDropped: at(3),
      txBytes: at(8),
      txPackets: at(9),
      txErrors: at(10),
      txDropped: at(11),
    });
  }
  return found;
}
