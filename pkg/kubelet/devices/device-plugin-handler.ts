import type { PluginHandler, PluginInfo } from '../dra/plugin-registry.ts';
import { DevicePlugin } from './device-plugin.ts';
import { problemOfResource, VERSION } from './plugin-registration.ts';

/** Device plugins that register by a socket in the directory of plugins of all kinds, under the name of their resource. */
export class DevicePluginHandler implements PluginHandler {
  readonly #registered: (plugin: DevicePlugin) => void;

  constructor(registered: (plugin: DevicePlugin) => void) {
    this.#registered = registered;
  }

  async register({ name, endpoint, supportedVersions }: PluginInfo): Promise<void> {
    if (!supportedVersions.includes(VERSION)) {
      throw new Error(`device plugin version ${JSON.stringify(supportedVersions)} is not supported, only ${VERSION}`);
    }
    const problem = problemOfResource(name);
    if (problem !== undefined) throw new Error(problem);
    this.#registered(await DevicePlugin.at(name, endpoint));
  }

  /** The end of its connection says so already. */
  deregister(): void {}
}
