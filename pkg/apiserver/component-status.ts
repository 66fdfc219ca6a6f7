import type { ComponentStatus } from '../api/generated/types.ts';
import type { HealthCheck } from './discovery/health.ts';
import { computedVerb } from './registry/computed.ts';
import type { Verb } from './registry/registry.ts';

type Component = Pick<HealthCheck, 'name' | 'check'>;

/** GET and LIST of componentstatuses: the other parts of the control plane, asked when somebody wants to know. */
export function componentStatusVerb(components: readonly Component[]): Verb {
  return computedVerb(() => Promise.all(components.map(statusOf)), 'componentstatus');
}

/** As upstream tells the answers of health checks. */
async function statusOf({ name, check }: Component): Promise<object> {
  const error = await check();
  const told = error === undefined ? { status: 'True', message: 'ok' } : { status: 'False', error };
  const conditions: ComponentStatus['conditions'] = [{ type: 'Healthy', ...told }];
  return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions };
}
