import { familyOfCIDR, networkMatcher } from './family.ts';
import { SETS } from './names.ts';
import { type Plan, PlanBuilder } from './plan.ts';

/** The networks that Services have their addresses from; what another one contains is left out, as ranges must not overlap. */
export function planServiceNetworks(cidrs: readonly string[]): Plan {
  const plan = new PlanBuilder();
  const different = [...new Set(cidrs)].sort((a, b) => prefixOf(a) - prefixOf(b));
  const kept: string[] = [];
  for (const cidr of different) {
    const family = familyOfCIDR(cidr);
    if (family === undefined || networkMatcher(kept)(cidr.slice(0, cidr.indexOf('/')))) continue;
    kept.push(cidr);
    plan.element(`${SETS.serviceNetworks}${family.suffix}`, cidr);
  }
  return plan;
}

function prefixOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}
