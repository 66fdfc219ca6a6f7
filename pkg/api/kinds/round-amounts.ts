import { formatQuantity, parseQuantity } from '../quantity.ts';

type Amounts = Record<string, string> | undefined;

const nanosPerThousandth = 1_000_000n;
/** What can be finer than a thousandth: nano and micro, and four digits after the point. */
const mayBeFine = /[nu]$|\.\d{4}/;

/** Lists of resources know thousandths: finer amounts are rounded up. Upstream's SetDefaults_ResourceList. */
export function roundAmounts(...lists: readonly Amounts[]): void {
  for (const list of lists) {
    for (const name in list) {
      const text = list[name] ?? '';
      if (mayBeFine.test(text)) list[name] = roundUp(text);
    }
  }
}

/** Away from zero. */
function roundUp(text: string): string {
  const { nano, format } = parseQuantity(text);
  const rest = nano % nanosPerThousandth;
  if (rest === 0n) return text;
  const whole = nano - rest;
  return formatQuantity({ nano: nano < 0n ? whole - nanosPerThousandth : whole + nanosPerThousandth, format });
}
