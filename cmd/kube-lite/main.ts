import { Command, CommanderError } from 'commander';
import { describeError } from '../../pkg/base/errors.ts';
import { writeBigIntsAsNumbers } from '../../pkg/base/integers.ts';
import { ConfigError } from '../../pkg/config/index.ts';
import { agentCommand } from './commands/agent.ts';
import { checkConfigCommand } from './commands/check-config.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { explainCommand } from './commands/explain.ts';
import { logsCommand } from './commands/logs.ts';
import { psCommand } from './commands/ps.ts';
import { runCommand } from './commands/run.ts';
import { serverCommand } from './commands/server.ts';
import { uninstallCommand } from './commands/uninstall.ts';
import { versionCommand } from './commands/version.ts';
import { waitReadyCommand } from './commands/wait-ready.ts';
import { UserError } from './errors.ts';

/** The commands, in the order of the help text. */
const commands = [
  serverCommand,
  agentCommand,
  runCommand,
  downCommand,
  psCommand,
  logsCommand,
  waitReadyCommand,
  checkConfigCommand,
  doctorCommand,
  explainCommand,
  uninstallCommand,
  versionCommand,
];

/** Commands that run until they are told to stop. */
const LASTING: ReadonlySet<string> = new Set(['server', 'agent']);

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('kube-lite')
    .description('Kubernetes in one executable')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'kube-lite: ')) })
    .showHelpAfterError('(kube-lite --help lists the commands and flags)');
  let exitCode = 0;
  for (const make of commands) {
    program.addCommand(
      make((code) => {
        exitCode = code;
      }).copyInheritedSettings(program),
    );
  }
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    const expected = error instanceof ConfigError || error instanceof UserError;
    console.error(`kube-lite: ${expected ? error.message : describeError(error)}`);
    return 1;
  }
}

writeBigIntsAsNumbers();
main(process.argv).then(
  (code) => {
    process.exitCode = code;
    // Handles that a failed start left behind, or a call that nobody answers any more, must not keep the process alive.
    if (code !== 0 || LASTING.has(process.argv[2] ?? '')) setImmediate(() => process.exit(code));
  },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
