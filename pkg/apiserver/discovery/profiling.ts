import { Session } from 'node:inspector/promises';
import { getHeapSnapshot } from 'node:v8';
import type { Clock } from '../../base/clock.ts';
import type { Exchange, PathHandler } from '../http/request-handler.ts';
import { headers, sendBytes, sendText } from '../http/response.ts';
import { PlainTextError } from '../request/plain-text-error.ts';

const ROOT = '/debug/pprof';
const DEFAULT_SECONDS = 30;
/** A request may take a minute. */
const MAX_SECONDS = 50;
const SAMPLING_MICROSECONDS = 1000;

const INDEX = `/debug/pprof/

profile?seconds=30   CPU profile (.cpuprofile), for DevTools and speedscope
allocs?seconds=30    where memory is allocated (.heapprofile)
heap                 everything on the heap (.heapsnapshot); the server stands still meanwhile
`;

/** What only Go's runtime has. */
const OF_GO: ReadonlySet<string> = new Set([
  'block',
  'cmdline',
  'goroutine',
  'mutex',
  'symbol',
  'threadcreate',
  'trace',
]);

/** Upstream's /debug/pprof/, with the profiles that V8 has, in its forms. Authorization comes before: no default role allows it. */
export function profilingHandler(clock: Clock): PathHandler {
  let busy = false;
  return async (exchange) => {
    const { context, response, head } = exchange;
    const { path } = context.info;
    if (path === ROOT) {
      response.writeHead(301, { ...headers(head, 'text/plain; charset=utf-8'), Location: `${ROOT}/` }).end();
      return true;
    }
    if (!path.startsWith(`${ROOT}/`)) return false;
    const name = path.slice(ROOT.length + 1);
    if (name === '') {
      sendText(response, 200, INDEX, head);
      return true;
    }
    if (OF_GO.has(name))
      throw refusal(501, `${name} is a profile of Go's runtime; this server has profile, allocs and heap`);
    if (name === 'heap') {
      sendSnapshot(exchange);
      return true;
    }
    if (name !== 'profile' && name !== 'allocs') return false;
    if (busy) throw refusal(500, 'a profile is being taken already');
    busy = true;
    try {
      const seconds = Math.min(MAX_SECONDS, Math.max(1, context.query.integer('seconds') ?? DEFAULT_SECONDS));
      const wait = (): Promise<void> => clock.sleep(seconds * 1000, context.signal);
      const profile = name === 'profile' ? await cpuProfile(wait) : await allocationProfile(wait);
      const fields = headers(head, 'application/json');
      const suffix = name === 'profile' ? 'cpuprofile' : 'heapprofile';
      fields['Content-Disposition'] = `attachment; filename="kube-lite.${suffix}"`;
      sendBytes(response, 200, fields, [Buffer.from(JSON.stringify(profile))], head);
    } finally {
      busy = false;
    }
    return true;
  };
}

async function cpuProfile(wait: () => Promise<void>): Promise<unknown> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS });
    await session.post('Profiler.start');
    await wait();
    return (await session.post('Profiler.stop')).profile;
  } finally {
    session.disconnect();
  }
}

async function allocationProfile(wait: () => Promise<void>): Promise<unknown> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.startSampling');
    await wait();
    return (await session.post('HeapProfiler.stopSampling')).profile;
  } finally {
    session.disconnect();
  }
}

function sendSnapshot({ response, head }: Exchange): void {
  const fields = headers(head, 'application/json');
  fields['Content-Disposition'] = 'attachment; filename="kube-lite.heapsnapshot"';
  response.writeHead(200, fields);
  getHeapSnapshot().pipe(response);
}

function refusal(code: number, text: string): PlainTextError {
  return new PlainTextError(code, 'InternalError', text, `${text}\n`);
}
