import type { KubeObject } from '../../api/object.ts';
import type { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';

type ParameterType = 'flag' | 'output' | 'text' | 'texts' | 'numbers';

const STREAMS: Readonly<Record<string, ParameterType>> = {
  stdin: 'flag',
  stdout: 'output',
  stderr: 'output',
  tty: 'flag',
  container: 'text',
};

/** The fields of the options that come as query parameters; `output` is on unless the client says otherwise. */
const PARAMETERS: Readonly<Record<string, Readonly<Record<string, ParameterType>>>> = {
  PodAttachOptions: STREAMS,
  PodExecOptions: { ...STREAMS, command: 'texts' },
  PodPortForwardOptions: { ports: 'numbers' },
};

/** What a connect request asks for, as the object that admission sees: PodExecOptions, ServiceProxyOptions and the like. */
export function connectOptions(kind: string, { query, info }: RequestContext): KubeObject {
  const options: Record<string, unknown> = { kind, apiVersion: 'v1' };
  const parameters = PARAMETERS[kind];
  if (parameters === undefined) options['path'] = `/${info.subpath}`;
  for (const [name, type] of Object.entries(parameters ?? {})) {
    const value = read(query, name, type);
    if (value !== undefined) options[name] = value;
  }
  return options as unknown as KubeObject;
}

function read(query: Query, name: string, type: ParameterType): unknown {
  switch (type) {
    case 'flag':
      return query.flag(name) || undefined;
    case 'output':
      return query.flag(name) || !query.has(name) || undefined;
    case 'text':
      return query.get(name) || undefined;
    default: {
      const values = query.all(name);
      if (values.length === 0) return undefined;
      return type === 'texts' ? values : values.flatMap((text) => text.split(',').map(Number));
    }
  }
}
