import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { aborted } from '../../base/abort.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { parseFacts } from '../../cri/index.ts';
import { DevicePlugin, type DevicePluginOptions } from './device-plugin.ts';
import { devicePluginFacts } from './plugin-facts.ts';

/** Of the protocol of device plugins. */
export const VERSION = 'v1beta1';
const SOCKET = 'kubelet.sock';
/** Linux' sun_path without its end. */
const MAX_SOCKET_PATH = 107;
/** What extended resources are called; those of Kubernetes itself are none. */
const RESOURCE_NAME =
  /^(?!requests\.)(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)\/[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

interface RegisterRequest {
  readonly version: string;
  readonly endpoint: string;
  readonly resourceName: string;
  readonly options: DevicePluginOptions | null;
}

export interface PluginRegistrationDeps {
  readonly logger: Logger;
  readonly registered: (plugin: DevicePlugin) => void;
}

/** The socket at which device plugins register: `kubelet.sock` in a directory that they put their own sockets into. */
export class PluginRegistration implements Component {
  readonly name = 'device-plugins';
  readonly #directory: string;
  readonly #deps: PluginRegistrationDeps;

  constructor(directory: string, deps: PluginRegistrationDeps) {
    this.#directory = directory;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o750 });
    const path = join(this.#directory, SOCKET);
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
      this.#deps.logger.warn({ path }, 'device plugins cannot register: the path of their socket is too long');
      ready();
      return aborted(signal);
    }
    // Plugins that see it made anew register again.
    await rm(path, { force: true });
    const server = new Server();
    const {
      path: method,
      request,
      response,
    } = parseFacts(VERSION, devicePluginFacts).method('Registration', 'Register');
    server.addService(
      {
        register: {
          path: method,
          requestStream: false,
          responseStream: false,
          requestSerialize: (value: object) => Buffer.from(request.encode(request.fromObject(value)).finish()),
          requestDeserialize: (bytes: Buffer) => request.toObject(request.decode(bytes), { defaults: true }),
          responseSerialize: (value: object) => Buffer.from(response.encode(response.fromObject(value)).finish()),
          responseDeserialize: (bytes: Buffer) => response.toObject(response.decode(bytes)),
        },
      },
      {
        register: (call: { request: unknown }, answer: (error: object | null, value?: object) => void) => {
          const problem = this.#register(call.request as RegisterRequest);
          if (problem === undefined) answer(null, {});
          else answer({ code: status.UNKNOWN, details: problem });
        },
      },
    );
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    ready();
    await aborted(signal);
    server.forceShutdown();
    await rm(path, { force: true });
  }

  /** Why the plugin is not taken; undefined when it is. */
  #register({ version, endpoint, resourceName, options }: RegisterRequest): string | undefined {
    if (version !== VERSION) {
      return `requested API version "${version}" is not supported by kubelet. Supported version is ["${VERSION}"]`;
    }
    const problem = problemOfResource(resourceName);
    if (problem !== undefined) return problem;
    // A socket of the directory, and of no other one.
    if (endpoint === '' || endpoint.includes('/') || endpoint === '..') return `the endpoint "${endpoint}" is invalid`;
    const none = { preStartRequired: false, getPreferredAllocationAvailable: false };
    this.#deps.logger.info({ resource: resourceName, endpoint }, 'a device plugin registered');
    this.#deps.registered(new DevicePlugin(resourceName, join(this.#directory, endpoint), options ?? none));
    return undefined;
  }
}

/** Why a name is none that a plugin may offer devices under. */
export function problemOfResource(name: string): string | undefined {
  const isValid = RESOURCE_NAME.test(name) && !/(^|\.)kubernetes\.io\//.test(name);
  return isValid ? undefined : `the ResourceName "${name}" is invalid`;
}
