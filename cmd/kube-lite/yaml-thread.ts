/** The thread that reads long YAML: an entry point of its own, which scripts/build bundles into the executable. */
import { parentPort } from 'node:worker_threads';
import { yamlOutcome } from '../../pkg/api/schema/yaml-reader.ts';
import { serveJobs } from '../../pkg/base/job-thread.ts';

if (parentPort !== null) serveJobs(parentPort, yamlOutcome);
