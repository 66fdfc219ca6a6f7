import type { DeepReadonly } from '../../base/json.ts';
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isHTTPHeaderName } from '../validation/names.ts';
import { nonNegative, oneOf, portNumber, portNumOrName } from '../validation/values.ts';

type FieldError = field.FieldError;

/** One handler of a probe or hook; `graceSeconds` is the pod's termination grace period. */
function validateHandler(
  handler: DeepReadonly<LifecycleHandler & Pick<Probe, 'grpc'>>,
  graceSeconds: number,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  const add = (name: string, check: () => FieldError[]): void => {
    if (count > 0) errors.push(field.forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'));
    else errors.push(...check());
    count++;
  };
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec) {
    add('exec', () => ((exec.command?.length ?? 0) === 0 ? [field.required(`${path}.exec.command`)] : []));
  }
  if (httpGet) add('httpGet', () => validateHTTPGet(httpGet, `${path}.httpGet`));
  if (tcpSocket) add('tcpSocket', () => portNumOrName(tcpSocket.port, `${path}.tcpSocket.port`));
  if (grpc) add('grpc', () => portNumber(grpc.port, `${path}.grpc.port`));
  if (sleep) {
    add('sleep', () => {
      const seconds = sleep.seconds ?? 0;
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
      return seconds < 0 || seconds > graceSeconds ? [field.invalid(`${path}.sleep`, seconds, detail)] : [];
    });
  }
  if (count === 0) errors.push(field.required(path, 'must specify a handler type'));
  return errors;
}

function validateHTTPGet(action: DeepReadonly<HTTPGetAction>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!action.path) errors.push(field.required(`${path}.path`));
  errors.push(...portNumOrName(action.port, `${path}.port`));
  errors.push(...oneOf(action.scheme, ['HTTP', 'HTTPS'], `${path}.scheme`));
  for (const header of action.httpHeaders ?? []) {
    const name = header.name ?? '';
    for (const text of isHTTPHeaderName(name)) errors.push(field.invalid(`${path}.httpHeaders`, name, text));
  }
  return errors;
}

function validateProbe(probe: DeepReadonly<Probe>, graceSeconds: number, path: string): FieldError[] {
  const errors = validateHandler(probe, graceSeconds, path);
  errors.push(...nonNegative(probe.initialDelaySeconds, `${path}.initialDelaySeconds`));
  errors.push(...nonNegative(probe.timeoutSeconds, `${path}.timeoutSeconds`));
  errors.push(...nonNegative(probe.periodSeconds, `${path}.periodSeconds`));
  errors.push(...nonNegative(probe.successThreshold, `${path}.successThreshold`));
  errors.push(...nonNegative(probe.failureThreshold, `${path}.failureThreshold`));
  const grace = probe.terminationGracePeriodSeconds;
  if (typeof grace === 'number' && grace <= 0) {
    errors.push(field.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
  return errors;
}

interface Probed {
  readonly livenessProbe?: DeepReadonly<Probe>;
  readonly readinessProbe?: DeepReadonly<Probe>;
  readonly startupProbe?: DeepReadonly<Probe>;
  readonly lifecycle?: DeepReadonly<Lifecycle>;
}

/** Hooks and probes of a container that may have them. */
export function validateHooksAndProbes(container: Probed, graceSeconds: number, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  if (lifecycle?.postStart) {
    errors.push(...validateHandler(lifecycle.postStart, graceSeconds, `${path}.lifecycle.postStart`));
  }
  if (lifecycle?.preStop) {
    errors.push(...validateHandler(lifecycle.preStop, graceSeconds, `${path}.lifecycle.preStop`));
  }
  if (livenessProbe) {
    errors.push(...validateProbe(livenessProbe, graceSeconds, `${path}.livenessProbe`));
    errors.push(...successIsOne(livenessProbe, `${path}.livenessProbe`));
  }
  if (readinessProbe) {
    errors.push(...validateProbe(readinessProbe, graceSeconds, `${path}.readinessProbe`));
    const grace = readinessProbe.terminationGracePeriodSeconds;
    if (typeof grace === 'number') {
      const at = `${path}.readinessProbe.terminationGracePeriodSeconds`;
      errors.push(field.invalid(at, grace, 'must not be set for readinessProbes'));
    }
  }
  if (startupProbe) {
    errors.push(...validateProbe(startupProbe, graceSeconds, `${path}.startupProbe`));
    errors.push(...successIsOne(startupProbe, `${path}.startupProbe`));
  }
  return errors;
}

function successIsOne(probe: DeepReadonly<Probe>, path: string): FieldError[] {
  const threshold = probe.successThreshold ?? 0;
  return threshold === 1 ? [] : [field.invalid(`${path}.successThreshold`, threshold, 'must be 1')];
}
