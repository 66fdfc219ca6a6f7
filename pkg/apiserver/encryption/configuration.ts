import { type ConfigNode, readConfigFile } from '../../config/index.ts';
import { type Cipher, KEY_BYTES, newCipher, PROVIDERS, type Provider } from './providers.ts';

/** One way to store a value: a provider with one of its keys; identity has none. */
export interface Method {
  /** What stored values begin with; '' for identity. */
  readonly prefix: string;
  readonly cipher: Cipher | undefined;
}

/** What is stored how: the first rule that names a resource counts. */
export interface EncryptionRule {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` (all of the core group), `*.*`. */
  readonly resources: readonly string[];
  /** The first one writes, all of them read. */
  readonly methods: readonly [Method, ...Method[]];
}

/** Reads an EncryptionConfiguration (apiserver.config.k8s.io/v1). Throws ConfigError that names file, line and field. */
export async function readEncryptionConfiguration(file: string): Promise<EncryptionRule[]> {
  return encryptionRules(await readConfigFile(file, ['apiserver.config.k8s.io/v1'], 'EncryptionConfiguration'));
}

export async function encryptionRules(root: ConfigNode): Promise<EncryptionRule[]> {
  root.onlyFields(['resources']);
  const items = root.field('resources').items();
  if (items.length === 0) root.field('resources').fail('at least one item is needed');
  const taken = new Set<string>();
  const rules: EncryptionRule[] = [];
  for (const item of items) {
    item.onlyFields(['resources', 'providers']);
    const names = item.field('resources').items();
    if (names.length === 0) item.field('resources').fail('at least one resource is needed');
    const resources = names.map((name) => resourceName(name, taken));
    const providers = item.field('providers').items();
    const methods = (await Promise.all(providers.map(methodsOf))).flat();
    const [first, ...others] = methods;
    if (first === undefined) item.field('providers').fail('at least one provider is needed');
    else rules.push({ resources, methods: [first, ...others] });
  }
  return rules;
}

function resourceName(node: ConfigNode, taken: Set<string>): string {
  const name = node.requiredString();
  if (name === '*') return node.fail('use "*." for all resources of the core group, or "*.*" for all resources');
  if (/[A-Z/]/.test(name)) return node.fail(`${JSON.stringify(name)} is not RESOURCE or RESOURCE.GROUP in lower case`);
  const mask = wildcardsOf(name).find((wildcard) => taken.has(wildcard));
  if (mask !== undefined) return node.fail(`${JSON.stringify(name)} is covered by ${JSON.stringify(mask)} already`);
  taken.add(name);
  return name;
}

/** Every form in which a rule may name a resource, and the wildcards that cover a wildcard. */
function wildcardsOf(name: string): string[] {
  const dot = name.indexOf('.');
  const group = dot < 0 ? '' : name.slice(dot + 1);
  return [name, `*.${group}`, '*.*'];
}

/** The rule of a resource. */
export function ruleFor(rules: readonly EncryptionRule[], group: string, resource: string): EncryptionRule | undefined {
  const names = wildcardsOf(group === '' ? resource : `${resource}.${group}`);
  return rules.find((rule) => rule.resources.some((name) => names.includes(name)));
}

async function methodsOf(node: ConfigNode): Promise<Method[]> {
  const [name = '', another] = node.names();
  if (name === '' || another !== undefined) return node.fail('must name one provider');
  if (name === 'kms')
    return node.field(name).fail('key management services are not supported; use secretbox or aesgcm');
  const provider = PROVIDERS.find((one) => one === name);
  if (provider === undefined) node.onlyFields(PROVIDERS);
  if (provider === undefined || provider === 'identity') return [{ prefix: '', cipher: undefined }];
  return keysOf(node.field(provider), provider);
}

function keysOf(node: ConfigNode, provider: Exclude<Provider, 'identity'>): Promise<Method[]> {
  node.onlyFields(['keys']);
  const keys = node.field('keys').items();
  if (keys.length === 0) node.field('keys').fail('at least one key is needed');
  const names = new Set<string>();
  return Promise.all(
    keys.map(async (key) => {
      key.onlyFields(['name', 'secret']);
      const name = key.field('name').requiredString();
      if (name.includes(':')) key.field('name').fail('must not contain ":"');
      if (names.has(name)) key.field('name').fail(`${JSON.stringify(name)} is the name of another key of the provider`);
      names.add(name);
      const secret = key.field('secret').requiredString();
      const bytes = Buffer.from(secret, 'base64');
      if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) key.field('secret').fail('is not base64');
      const lengths = KEY_BYTES[provider];
      if (!lengths.includes(bytes.length))
        key.field('secret').fail(`has ${bytes.length} bytes; ${provider} needs ${lengths.join(', ')}`);
      return { prefix: `k8s:enc:${provider}:v1:${name}:`, cipher: await newCipher(provider, bytes) };
    }),
  );
}
