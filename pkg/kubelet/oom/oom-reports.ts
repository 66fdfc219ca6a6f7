import { join } from 'node:path';

/** What the kernel says of one process that it has killed for lack of memory. */
export interface OOMReport {
  /** Path of the cgroup whose limit was reached, `/`: the machine has no memory left. */
  readonly cgroup: string;
  readonly process: string;
  readonly pid: number;
}

const BEGIN = /invoked oom-killer:/;
/** Kernels from 5.0 on, where a limit was reached. */
const LIMIT = /oom-kill:constraint=.*,oom_memcg=(.*),task_memcg=.*,task=(.*),pid=(\d+),uid=/;
/** Older ones. */
const OLD_LIMIT = /Task in .* killed as a result of limit of (.*)/;
const KILLED = /Killed process (\d+) \((.+)\)/;

/** Finds reports in the messages of the kernel's log, each of which tells a part. Upstream: cAdvisor's oomparser. */
export class OOMReports {
  /** Of the report that has begun; undefined: none has. */
  #cgroup: string | undefined;

  /** The report that this message ends. */
  add(message: string): OOMReport | undefined {
    if (this.#cgroup === undefined) {
      if (BEGIN.test(message)) this.#cgroup = '/';
      return undefined;
    }
    const [, cgroup, process = '', pid] = LIMIT.exec(message) ?? [];
    if (cgroup !== undefined) return this.#end({ cgroup, process, pid: Number(pid) });
    const [, oldCgroup] = OLD_LIMIT.exec(message) ?? [];
    if (oldCgroup !== undefined) this.#cgroup = join('/', oldCgroup);
    const [, killed, name = ''] = KILLED.exec(message) ?? [];
    if (killed === undefined) return undefined;
    return this.#end({ cgroup: this.#cgroup, process: name, pid: Number(killed) });
  }

  #end(report: OOMReport): OOMReport {
    this.#cgroup = undefined;
    return report;
  }
}
