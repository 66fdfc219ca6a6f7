import { errnoCode } from '../base/errors.ts';
import { ConfigError, type NodeConfig } from '../config/index.ts';

/** The settings of the ports that a node listens on. */
export function portFlags(config: NodeConfig): Map<number, string> {
  return new Map([
    [config.kubeletPort, '--kubelet-port'],
    [config.ingress.http.port, '--ingress-http-port'],
    [config.ingress.https.port, '--ingress-https-port'],
  ]);
}

/**
 * A clear error for a port that is taken, wherever in the chain of causes it shows; `flags` are the settings of the ports that
 * this process listens on.
 */
export function portInUse(error: unknown, flags: ReadonlyMap<number, string>): ConfigError | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (errnoCode(cause) !== 'EADDRINUSE') continue;
    const port = 'port' in cause ? Number(cause.port) : 0;
    const flag = flags.get(port);
    const advice =
      flag === undefined ? 'stop what listens there' : `stop what listens there, or choose another ${flag}`;
    return new ConfigError(`port ${port} is in use; ${advice}`, { cause: error });
  }
  return undefined;
}
