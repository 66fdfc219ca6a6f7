import protobuf from 'protobufjs';

/** One method of a gRPC service. */
export interface MethodFacts {
  readonly path: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
  readonly streaming: boolean;
}

export interface ServiceDescriptor {
  method(service: string, name: string): MethodFacts;
  message(name: string): protobuf.Type;
}

const MAP_TYPE = 'map';

/**
 * Builds protobufjs types from facts (see facts/cri-v1.ts for the notation). `packageName` is the protobuf package: it is part
 * of the method paths. Throws when the facts name a type that they do not define.
 */
export function parseFacts(packageName: string, facts: string): ServiceDescriptor {
  const root = new protobuf.Root();
  const rpcs = new Map<string, { request: string; response: string; streaming: boolean }>();
  for (const line of facts.split('\n')) {
    const [form, name = '', ...rest] = line.split(' ');
    if (form === 'message') root.add(parseMessage(name, rest));
    else if (form === 'enum') root.add(parseEnum(name, rest));
    else if (form === 'rpc') {
      const [method = '', request = '', ...response] = rest;
      rpcs.set(`${name}/${method}`, { request, response: response.at(-1) ?? '', streaming: response.length > 1 });
    }
  }
  root.resolveAll();
  return {
    message: (name) => root.lookupType(name),
    method(service, name) {
      const rpc = rpcs.get(`${service}/${name}`);
      if (rpc === undefined) throw new Error(`no method ${service}/${name} in ${packageName}`);
      return {
        path: `/${packageName}.${service}/${name}`,
        request: root.lookupType(rpc.request),
        response: root.lookupType(rpc.response),
        streaming: rpc.streaming,
      };
    },
  };
}

function parseMessage(name: string, fields: readonly string[]): protobuf.Type {
  const message = new protobuf.Type(name);
  for (const field of fields) {
    const [number = '', fieldName = '', type = '', valueType = 'string'] = field.split(':');
    if (type === MAP_TYPE) message.add(new protobuf.MapField(fieldName, Number(number), 'string', valueType));
    else if (type.startsWith('*'))
      message.add(new protobuf.Field(fieldName, Number(number), type.slice(1), 'repeated'));
    else message.add(new protobuf.Field(fieldName, Number(number), type));
  }
  return message;
}

function parseEnum(name: string, values: readonly string[]): protobuf.Enum {
  const numbers: Record<string, number> = {};
  for (const value of values) {
    const at = value.indexOf('=');
    numbers[value.slice(0, at)] = Number(value.slice(at + 1));
  }
  return new protobuf.Enum(name, numbers);
}
