import type { ResourceDefinition } from '../../../api/definition.ts';
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../../../api/generated/types.ts';
import type { ResourceType } from '../../../api/object.ts';
import type { DeepReadonly } from '../../../base/json.ts';
import type { ObjectReader, Operation } from '../../contract.ts';
import { RequestIndex } from '../matching/request-index.ts';
import { isConfiguration, ruleMatches } from '../matching/rules.ts';
import type { Versions } from '../matching/versions.ts';

export type Webhook = DeepReadonly<MutatingWebhook> | DeepReadonly<ValidatingWebhook>;
type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

/** One webhook of a configuration. */
export interface Hook {
  readonly configuration: string;
  readonly webhook: Webhook;
  /** Its place among all webhooks of its type. */
  readonly index: number;
  /** Unique among them. */
  readonly id: string;
}

/** A webhook whose rules match a request, with the version that they match in. */
export interface HookMatch {
  readonly hook: Hook;
  readonly definition: ResourceDefinition;
}

/** All webhooks of one type, in the order of the names of their configurations; a change is in force at once. */
export class Hooks {
  readonly #reader: ObjectReader;
  readonly #type: ResourceType<Configuration>;
  readonly #versions: () => Versions;
  readonly #index: RequestIndex<HookMatch>;
  #hooks: readonly Hook[] | undefined;

  private constructor(reader: ObjectReader, type: ResourceType<Configuration>, versions: () => Versions) {
    this.#reader = reader;
    this.#type = type;
    this.#versions = versions;
    this.#index = new RequestIndex(
      (operation, definition, subresource) => this.#find(operation, definition, subresource),
      () => versions().generation,
    );
  }

  static watch(reader: ObjectReader, type: ResourceType<Configuration>, versions: () => Versions): Hooks {
    const hooks = new Hooks(reader, type, versions);
    reader.onChange(type, () => {
      hooks.#hooks = undefined;
      hooks.#index.reset();
    });
    return hooks;
  }

  /** Those whose rules match; their selectors and conditions have not been looked at. */
  matching(operation: Operation, definition: ResourceDefinition, subresource: string): readonly HookMatch[] {
    if (this.#all().length === 0) return NONE;
    return this.#index.get(operation, definition, subresource);
  }

  #all(): readonly Hook[] {
    this.#hooks ??= readHooks(this.#reader.list(this.#type));
    return this.#hooks;
  }

  #find(operation: Operation, definition: ResourceDefinition, subresource: string): HookMatch[] {
    if (isConfiguration(definition.type)) return [];
    const found: HookMatch[] = [];
    for (const hook of this.#all()) {
      const version = this.#versionFor(hook.webhook, operation, definition, subresource);
      if (version !== undefined) found.push({ hook, definition: version });
    }
    return found;
  }

  /** The request's own version when a rule names it; else, by matchPolicy Equivalent, the first that a rule does name. */
  #versionFor(
    { rules = [], matchPolicy }: Webhook,
    operation: Operation,
    definition: ResourceDefinition,
    subresource: string,
  ): ResourceDefinition | undefined {
    if (rules.some((rule) => ruleMatches(rule, operation, definition.type, subresource))) return definition;
    if (matchPolicy === 'Exact') return undefined;
    const equivalents = this.#versions().equivalents(definition);
    for (const rule of rules) {
      const found = equivalents.find((other) => ruleMatches(rule, operation, other.type, subresource));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

const NONE: readonly HookMatch[] = [];

function readHooks(configurations: Iterable<DeepReadonly<Configuration>>): Hook[] {
  const sorted = [...configurations].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const hooks: Hook[] = [];
  for (const { metadata, webhooks = [] } of sorted) {
    for (const webhook of webhooks) {
      const id = `${metadata.name}/${webhook.name}/${hooks.length}`;
      hooks.push({ configuration: metadata.name, webhook, index: hooks.length, id });
    }
  }
  return hooks;
}
