import { readdir, readFile } from 'node:fs/promises';
import { Counter, Gauge, type Metrics } from './metrics.ts';

const CLOCK_TICKS = 100;

/** Metrics of the process under the names that every Prometheus client uses. They are read when they are scraped, not before. */
export function registerProcessMetrics(metrics: Metrics): void {
  const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers: [metrics],
      async collect() {
        this.set(await read());
      },
    });
  };
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process in seconds.',
    registers: [metrics],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  gauge('process_resident_memory_bytes', 'Resident memory in bytes.', () => process.memoryUsage.rss());
  gauge('process_virtual_memory_bytes', 'Virtual memory in bytes.', async () => Number((await stat())[22]));
  gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', async () => {
    const boot = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1];
    return Number(boot) + Number((await stat())[21]) / CLOCK_TICKS;
  });
  gauge('process_open_fds', 'Open file descriptors.', async () => (await readdir('/proc/self/fd')).length);
  gauge('process_max_fds', 'How many file descriptors may be open.', async () => {
    const limits = await readFile('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 0);
  });
  gauge('nodejs_heap_size_used_bytes', 'Used part of the JavaScript heap.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_heap_size_total_bytes', 'Size of the JavaScript heap.', () => process.memoryUsage().heapTotal);
  gauge('nodejs_external_memory_bytes', 'Memory of buffers outside of the heap.', () => process.memoryUsage().external);
  let before = performance.eventLoopUtilization();
  gauge(
    'nodejs_eventloop_utilization',
    'The part of the time since the last scrape in which the event loop was busy.',
    () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
  );
}

/** The fields of /proc/self/stat, counted from 0; the name of the process may have spaces in it. */
async function stat(): Promise<string[]> {
  const text = await readFile('/proc/self/stat', 'utf8');
  const end = text.lastIndexOf(')');
  return ['', '', ...text.slice(end + 2).split(' ')];
}
