import type { SigCoverage } from './coverage.ts';

export const sigScheduling: SigCoverage = {
  sig: 'sig-scheduling',
  cases: {
    'LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied.': [
      'test/e2e/scheduling-policies.test.ts > limit ranges: defaults, bounds, changes, and deletion of some of them',
    ],
    'LimitRange should list, patch and delete a LimitRange by collection': [
      'test/e2e/scheduling-policies.test.ts > limit ranges: defaults, bounds, changes, and deletion of some of them',
    ],
    'SchedulerPredicates validates resource limits of pods that are allowed to run': [
      'test/behaviour/data/scheduling.json > resources-too-big',
    ],
    'SchedulerPredicates validates that NodeSelector is respected if matching': [
      'test/behaviour/data/scheduling.json > node-selector-mismatch',
    ],
    'SchedulerPredicates validates that NodeSelector is respected if not matching': [
      'test/behaviour/data/scheduling.json > node-selector-mismatch',
    ],
    'SchedulerPredicates validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP':
      ['test/e2e/scheduling-policies.test.ts > the same host port on another address, and on all of them'],
    'SchedulerPreemption PreemptionExecutionPath runs ReplicaSets to verify preemption running path': [
      'test/e2e/scheduling-policies.test.ts > replica sets of several priorities share a resource: the least important give way',
    ],
    'SchedulerPreemption PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods':
      ['test/e2e/scheduling-policies.test.ts > priority classes: what may change and what may not'],
    'SchedulerPreemption validates basic preemption works': [
      'test/behaviour/data/scheduling.json > preemption',
      'test/e2e/scheduling.test.ts > preemption for extended resources that were patched into the node status',
    ],
    'SchedulerPreemption validates lower priority pod preemption by critical pod': [
      'test/e2e/scheduling.test.ts > preemption for extended resources that were patched into the node status',
    ],
  },
};
