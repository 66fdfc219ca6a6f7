import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { aborted } from '../../base/abort.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import { GrpcServer, parseFacts } from '../../cri/index.ts';
import { DevicePlugin, type DevicePluginOptions } from './device-plugin.ts';
import { devicePluginFacts } from './plugin-facts.ts';

/** Of the protocol of device plugins. */
export const VERSION = 'v1beta1';
const SOCKET = 'kubelet.sock';
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
    const server = new GrpcServer();
    const { method } = parseFacts(VERSION, devicePluginFacts);
    server.add(method('Registration', 'Register'), (request) => this.#register(request as RegisterRequest));
    // Plugins that see it made anew register again.
    const path = join(this.#directory, SOCKET);
    if (!(await server.listen(path))) {
      this.#deps.logger.warn({ path }, 'device plugins cannot register: the path of their socket is too long');
    }
    ready();
    await aborted(signal);
    server.close();
    await rm(path, { force: true });
  }

  /** Throws an Error when the plugin is not taken. */
  #register({ version, endpoint, resourceName, options }: RegisterRequest): object {
    if (version !== VERSION) {
      throw new Error(
        `requested API version "${version}" is not supported by kubelet. Supported version is ["${VERSION}"]`,
      );
    }
    const problem = problemOfResource(resourceName);
    if (problem !== undefined) throw new Error(problem);
    // A socket of the directory, and of no other one.
    if (endpoint === '' || endpoint.includes('/') || endpoint === '..') {
      throw new Error(`the endpoint "${endpoint}" is invalid`);
    }
    const none = { preStartRequired: false, getPreferredAllocationAvailable: false };
    this.#deps.logger.info({ resource: resourceName, endpoint }, 'a device plugin registered');
    this.#deps.registered(new DevicePlugin(resourceName, join(this.#directory, endpoint), options ?? none));
    return {};
  }
}

/** Why a name is none that a plugin may offer devices under. */
export function problemOfResource(name: string): string | undefined {
  const isValid = RESOURCE_NAME.test(name) && !/(^|\.)kubernetes\.io\//.test(name);
  return isValid ? undefined : `the ResourceName "${name}" is invalid`;
}
