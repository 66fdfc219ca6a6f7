import { sigApiMachinery } from './sig-api-machinery.ts';
import { sigApiMachineryWebhooks } from './sig-api-machinery-webhooks.ts';
import { sigApps } from './sig-apps.ts';
import { sigArchitecture } from './sig-architecture.ts';
import { sigAuth } from './sig-auth.ts';
import { sigCli } from './sig-cli.ts';
import { sigInstrumentation } from './sig-instrumentation.ts';
import { sigNetwork } from './sig-network.ts';
import { sigNode } from './sig-node.ts';
import { sigScheduling } from './sig-scheduling.ts';
import { sigStorage } from './sig-storage.ts';

/**
 * A test that shows a case: its file, from the root of the repository, and a part of its title. A scenario of a recording
 * is named by the recording and a part of the scenario's name.
 */
export type Evidence =
  | `${string}.test.ts > ${string}`
  | `test/${'recordings' | 'behaviour'}/data/${string}.json > ${string}`;

/** The tests that show each case, by the case's name without its SIG and its tags. Together they show all that it requires. */
export type Coverage = Readonly<Record<string, readonly Evidence[]>>;

/** The cases of one SIG, or of one part of them. */
export interface SigCoverage {
  readonly sig: `sig-${string}`;
  readonly cases: Coverage;
}

/** Every case of the Conformance suite. */
export const coverage: readonly SigCoverage[] = [
  sigApiMachinery,
  sigApiMachineryWebhooks,
  sigApps,
  sigArchitecture,
  sigAuth,
  sigCli,
  sigInstrumentation,
  sigNetwork,
  sigNode,
  sigScheduling,
  sigStorage,
];
