import type { Clock } from '../base/clock.ts';
import { newStatus, StatusError } from './errors.ts';
import { type MediaRange, mediaRanges } from './media-ranges.ts';
import { jsonText, yamlText } from './object-text.ts';
import { formatTime } from './time.ts';
import { API_VERSION, KUBERNETES_VERSION } from './version.ts';

const VERSIONS: ReadonlySet<string> = new Set(['v1alpha1', 'v1beta1']);
const DEPRECATED_VERSION = 'v1alpha1';
const MEDIA_TYPES = ['application/json', 'application/yaml', 'text/plain'] as const;
type MediaType = (typeof MEDIA_TYPES)[number];

/** One page about a running component: its fields as an object of config.k8s.io, and the lines of its text. */
export interface ZPage {
  readonly name: 'statusz' | 'flagz';
  readonly kind: 'Statusz' | 'Flagz';
  fields(): Readonly<Record<string, unknown>>;
  lines(): readonly string[];
}

export interface StatuszDeps {
  readonly clock: Clock;
  /** When the process started, in milliseconds since 1970. */
  readonly startedMs: number;
  /** All that the component serves. */
  paths(): readonly string[];
}

/** When the component started, what it is and what it serves. */
export function statuszPage({ clock, startedMs, paths }: StatuszDeps): ZPage {
  const upSeconds = (): number => Math.max(0, Math.floor((clock.now() - startedMs) / 1000));
  const about = {
    goVersion: process.version,
    binaryVersion: KUBERNETES_VERSION.slice(1),
    emulationVersion: API_VERSION,
  };
  return {
    name: 'statusz',
    kind: 'Statusz',
    fields: () => ({
      startTime: formatTime(startedMs),
      uptimeSeconds: upSeconds(),
      ...about,
      paths: topPaths(paths()),
    }),
    lines: () => {
      const up = upSeconds();
      const [minutes, seconds] = [Math.floor(up / 60) % 60, up % 60].map((part) => String(part).padStart(2, '0'));
      return [
        `Started: ${unixDate(startedMs)}`,
        `Up: ${Math.floor(up / 3600)} hr ${minutes} min ${seconds} sec`,
        `Go version: ${about.goVersion}`,
        `Binary version: ${about.binaryVersion}`,
        `Emulation version: ${about.emulationVersion}`,
        `Paths: ${topPaths(paths()).join(' ')}`,
      ];
    },
  };
}

/** The settings of the component by name. */
export function flagzPage(flags: Readonly<Record<string, string>>): ZPage {
  const sorted = Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: 'flagz',
    kind: 'Flagz',
    fields: () => ({ flags: Object.fromEntries(sorted) }),
    lines: () => sorted.map(([name, value]) => `${name}: ${value}`),
  };
}

/** Where clients look that are no people. */
const NO_DEBUGGING: ReadonlySet<string> = new Set(['/apis', '/api', '/openid', '/openapi', '/.well-known']);

function topPaths(paths: readonly string[]): string[] {
  const tops = paths.map((path) => `/${path.split('/')[1] ?? ''}`);
  return [...new Set(tops)].filter((top) => top !== '/' && !NO_DEBUGGING.has(top)).sort();
}

/** As in `Thu Nov 26 23:40:14 UTC 2026`. */
function unixDate(ms: number): string {
  const [day = '', dayOfMonth = '', month = '', year = '', time = ''] = new Date(ms)
    .toUTCString()
    .replace(',', '')
    .split(' ');
  return `${day} ${month} ${String(Number(dayOfMonth)).padStart(2, ' ')} ${time} UTC ${year}`;
}

export interface ZPageAnswer {
  readonly contentType: string;
  readonly text: string;
  /** Value of the header `Warning`. */
  readonly warning?: string;
}

/**
 * The page of a component (`apiserver`) as the Accept header wants it: text for people; who asks for
 * `as=Statusz;g=config.k8s.io;v=v1beta1` gets an object. Throws NotAcceptable. Upstream: server/statusz, server/flagz.
 */
export function zPageAnswer(component: string, page: ZPage, accept: string | undefined, pretty: boolean): ZPageAnswer {
  const { type, version } = chooseForm(accept, page);
  const { kind, name } = page;
  if (type === 'text/plain') {
    const text = `
${component} ${name}
Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.

${page.lines().join('\n')}
`;
    return { contentType: 'text/plain; charset=utf-8', text };
  }
  const object = { kind, apiVersion: `config.k8s.io/${version}`, metadata: { name: component }, ...page.fields() };
  const deprecated = `299 - "This version of the ${name} endpoint is deprecated. Please use a newer version."`;
  return {
    contentType: `${type};g=config.k8s.io;v=${version};as=${kind}`,
    text: type === 'application/yaml' ? yamlText(object) : jsonText(object, pretty),
    ...(version === DEPRECATED_VERSION ? { warning: deprecated } : {}),
  };
}

/** Throws NotAcceptable. */
function chooseForm(accept: string | undefined, page: ZPage): { type: MediaType; version: string } {
  if (accept === undefined || accept.trim() === '') return { type: 'text/plain', version: '' };
  for (const range of mediaRanges(accept)) {
    const version = range.parameters.get('v') ?? '';
    const type = MEDIA_TYPES.find((one) => includes(range, one) && isForm(range, one, page));
    if (type !== undefined) return { type, version };
  }
  const message = `only the following media types are accepted: ${MEDIA_TYPES.join(', ')}`;
  throw new StatusError(newStatus(406, 'NotAcceptable', message));
}

function includes({ type }: MediaRange, one: MediaType): boolean {
  return type === '*/*' || type === one || type === `${one.split('/')[0]}/*`;
}

/** Text is no object of any kind; everything else is one, and has to be asked for by its kind. */
function isForm({ parameters }: MediaRange, type: MediaType, { kind }: ZPage): boolean {
  const named = ['as', 'g', 'v'].some((key) => parameters.has(key));
  if (type === 'text/plain') return !named;
  return (
    parameters.get('as') === kind &&
    parameters.get('g') === 'config.k8s.io' &&
    VERSIONS.has(parameters.get('v') ?? '') &&
    (parameters.get('stream') ?? '') === ''
  );
}
