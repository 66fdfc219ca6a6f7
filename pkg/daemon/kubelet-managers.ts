import { ConfigError, type NodeManagers } from '../config/index.ts';
import { type ManagersConfiguration, ManagersConfigurationError, managerSettings } from '../kubelet/index.ts';

/** What the options say about CPU, memory and topology managers, by upstream's fields. Throws a ConfigError. */
export function kubeletManagers(managers: NodeManagers): ManagersConfiguration {
  const { reservedCPUs } = managers;
  const configuration: ManagersConfiguration = {
    cpuManagerPolicy: managers.cpuManagerPolicy,
    cpuManagerPolicyOptions: pairs('cpu-manager-policy-options', managers.cpuManagerPolicyOptions),
    ...(reservedCPUs.length === 0 ? {} : { reservedSystemCPUs: reservedCPUs.join(',') }),
    memoryManagerPolicy: managers.memoryManagerPolicy,
    reservedMemory: reservedMemory(managers.reservedMemory),
    topologyManagerPolicy: managers.topologyManagerPolicy,
    topologyManagerScope: managers.topologyManagerScope,
    topologyManagerPolicyOptions: pairs('topology-manager-policy-options', managers.topologyManagerPolicyOptions),
  };
  try {
    managerSettings(configuration);
  } catch (error) {
    if (!(error instanceof ManagersConfigurationError)) throw error;
    throw new ConfigError(`--${OPTIONS[error.field]}: ${error.message}`, { cause: error });
  }
  return configuration;
}

const OPTIONS: Readonly<Record<keyof ManagersConfiguration, string>> = {
  cpuManagerPolicy: 'cpu-manager-policy',
  cpuManagerPolicyOptions: 'cpu-manager-policy-options',
  reservedSystemCPUs: 'reserved-cpus',
  memoryManagerPolicy: 'memory-manager-policy',
  reservedMemory: 'reserved-memory',
  topologyManagerPolicy: 'topology-manager-policy',
  topologyManagerScope: 'topology-manager-scope',
  topologyManagerPolicyOptions: 'topology-manager-policy-options',
};

function pairs(option: string, items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const [name = '', value = '', ...rest] = item.split('=');
      if (name === '' || value === '' || rest.length > 0)
        throw new ConfigError(`--${option}: "${item}" is not NAME=VALUE`);
      return [name, value];
    }),
  );
}

/** `0:memory=1Gi`; what follows on the same node may leave it out (`hugepages-2Mi=4Mi`), and `;` separates nodes too. */
function reservedMemory(items: readonly string[]): NonNullable<ManagersConfiguration['reservedMemory']> {
  const nodes: { numaNode: number; limits: Record<string, string> }[] = [];
  for (const item of items.flatMap((text) => text.split(';'))) {
    const match = /^(?:(\d{1,5}):)?([a-zA-Z0-9-]+)=([^=]+)$/.exec(item.trim());
    const [, node, type = '', amount = ''] = match ?? [];
    if (node !== undefined) nodes.push({ numaNode: Number(node), limits: {} });
    const last = nodes.at(-1);
    if (match === null || last === undefined || last.limits[type] !== undefined) {
      throw new ConfigError(`--reserved-memory: "${item}" is not NODE:memory=QUANTITY`);
    }
    last.limits[type] = amount;
  }
  return nodes;
}
