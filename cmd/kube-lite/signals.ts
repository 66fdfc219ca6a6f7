import type { Logger } from '../../pkg/base/logger.ts';

/** The first SIGTERM or SIGINT aborts the returned signal; the second ends the process at once. */
export function stopOnSignals(logger: Logger): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    logger.info({ signal: name }, 'stopping; pods keep running');
    controller.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return controller.signal;
}
