import type { DeepReadonly } from '../../base/json.ts';
import type { Compiled, CompileIssues, Environment, MapKey, MapValue, Value } from '../cel/index.ts';
import type { Device, DeviceAttribute } from '../generated/types.ts';
import { deviceEnvironment, MAX_SELECTOR_COST } from './device-environment.ts';

type ReadDevice = DeepReadonly<Device>;
type Engine = typeof import('../cel/index.ts');

/** A selector that cannot be used, or that failed on a device. The message is upstream's. */
export class DeviceSelectorError extends Error {
  override readonly name = 'DeviceSelectorError';
}

/** Compiled expressions that are kept, the least recently used forgotten. */
const MAX_COMPILED = 128;

/** Selectors of devices, compiled once and asked of many devices. */
export class DeviceSelectors {
  readonly #engine: Engine;
  readonly #environment: Environment;
  readonly #compiled = new Map<string, Compiled | CompileIssues>();
  /** What expressions see of a device; devices never change. */
  readonly #views = new WeakMap<ReadDevice, object>();

  private constructor(engine: Engine, environment: Environment) {
    this.#engine = engine;
    this.#environment = environment;
  }

  /** Loads the expression engine, which takes a moment. */
  static async load(): Promise<DeviceSelectors> {
    return new DeviceSelectors(await import('../cel/index.ts'), await deviceEnvironment());
  }

  /** Whether a device of a driver is one that the expression selects. Throws a DeviceSelectorError. */
  matches(expression: string, driver: string, device: ReadDevice): boolean {
    const compiled = this.#compile(expression);
    if ('issues' in compiled)
      throw new DeviceSelectorError(`CEL compile error: compilation failed: ${compiled.message}`);
    const activation = new Map([['device', this.#viewOf(driver, device)]]);
    try {
      const { value } = compiled.program.evaluate(activation, { costLimit: MAX_SELECTOR_COST });
      if (typeof value === 'boolean') return value;
    } catch (error) {
      if (!(error instanceof this.#engine.CELError)) throw error;
      throw new DeviceSelectorError(`CEL runtime error: ${error.message}`, { cause: error });
    }
    throw new DeviceSelectorError('CEL runtime error: CEL result could not be converted to bool');
  }

  #compile(expression: string): Compiled | CompileIssues {
    const known = this.#compiled.get(expression);
    const compiled = known ?? this.#environment.compile(expression);
    this.#compiled.delete(expression);
    this.#compiled.set(expression, compiled);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > MAX_COMPILED && oldest !== undefined) this.#compiled.delete(oldest);
    return compiled;
  }

  #viewOf(driver: string, device: ReadDevice): object {
    const known = this.#views.get(device);
    if (known !== undefined) return known;
    const view = {
      driver,
      allowMultipleAllocations: device.allowMultipleAllocations ?? false,
      attributes: this.#byDomain(driver, device.attributes ?? {}, (attribute, name) =>
        this.#attribute(attribute, name),
      ),
      capacity: this.#byDomain(driver, device.capacity ?? {}, ({ value }) => this.#engine.quantityValue(value)),
    };
    this.#views.set(device, view);
    return view;
  }

  #attribute({ bool, int, string, version }: DeepReadonly<DeviceAttribute>, name: string): Value {
    if (int !== undefined) return BigInt(int);
    const plain = bool ?? string;
    if (plain !== undefined) return plain;
    if (version === undefined)
      throw new DeviceSelectorError(`CEL runtime error: attribute ${name}: unsupported attribute value`);
    try {
      return this.#engine.semverValue(version);
    } catch (error) {
      if (!(error instanceof this.#engine.Failure)) throw error;
      throw new DeviceSelectorError(`CEL runtime error: attribute ${name}: parse semantic version: ${error.message}`);
    }
  }

  /** `domain -> name -> value`; names without a domain are of the driver's. A domain that is not there reads as empty. */
  #byDomain<T>(
    driver: string,
    entries: Readonly<Record<string, T>>,
    read: (entry: T, name: string) => Value,
  ): MapValue {
    const { HashMapValue } = this.#engine;
    const domains = new Map<string, Map<MapKey, readonly [Value, Value]>>();
    for (const [name, entry] of Object.entries(entries)) {
      const slash = name.indexOf('/');
      const domain = slash < 0 ? driver : name.slice(0, slash);
      const id = name.slice(slash + 1);
      const members = domains.get(domain) ?? new Map<MapKey, readonly [Value, Value]>();
      members.set(id, [id, read(entry, name)]);
      domains.set(domain, members);
    }
    const members = [...domains].map(([domain, of]) => [domain, [domain, new HashMapValue(of)]] as const);
    return new HashMapValue(new Map<MapKey, readonly [Value, Value]>(members), new HashMapValue(new Map()));
  }
}
