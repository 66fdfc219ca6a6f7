import { eventFromCore, eventToCore } from './convert/event.ts';
import { deploymentFromExtensions, deploymentToExtensions } from './convert/extensions-deployment.ts';
import { ingressFromExtensions, ingressToExtensions } from './convert/extensions-ingress.ts';
import { autoscalerFromV1, autoscalerToV1 } from './convert/horizontal-pod-autoscaler.ts';
import { resourceFromV1Beta1, resourceToV1Beta1 } from './convert/resource-v1beta1.ts';
import type { ResourceDefinition, ScalePaths, Strategy, SubresourceDefinition, Verb } from './definition.ts';
import { resourceFacts } from './generated/facts.ts';
import { strategies } from './kinds/index.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject, type ResourceType } from './object.ts';
import { printerFor } from './printers/index.ts';
import { createdAtPrinter } from './printers/printer.ts';
import { builtinPackage, builtinSchema } from './schema/builtin.ts';
import { selectableFields } from './selectable-fields.ts';

export interface SchemeOptions {
  /**
   * What is served beside and instead of the stable versions, as `--runtime-config` has it: `group/version`,
   * `group/version/resource` (core: `v1`), `api/all`, `api/ga`, `api/beta`, `api/alpha` -> on or off. The narrowest entry counts.
   */
  readonly runtimeConfig?: ReadonlyMap<string, boolean>;
}

/** The definition of every built-in resource that is served, in discovery's order of groups as the facts have them. */
export function builtinDefinitions(options: SchemeOptions = {}): ResourceDefinition[] {
  const facts = readResources(resourceFacts);
  const types = new Map(facts.map((fact) => [typeKey(fact.type), fact.type]));
  return facts.filter((fact) => isServed(fact, options.runtimeConfig)).map((fact) => define(fact, types));
}

interface ResourceFact {
  readonly type: ResourceType;
  readonly verbs: readonly Verb[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: SubresourceDefinition[];
  /** The releases in which upstream deprecated and removed the version. */
  readonly removed?: { readonly deprecated: string; readonly removed: string };
}

const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** The kinds of subresource bodies that belong to another group than the resource. */
const SUBRESOURCE_KINDS: Readonly<Record<string, { readonly group: string; readonly version: string }>> = {
  Scale: { group: 'autoscaling', version: 'v1' },
  Eviction: { group: 'policy', version: 'v1' },
  TokenRequest: { group: 'authentication.k8s.io', version: 'v1' },
};

function readResources(text: string): ResourceFact[] {
  const facts: ResourceFact[] = [];
  let group = '';
  let version = '';
  let removed: ResourceFact['removed'];
  for (const line of text.split('\n')) {
    const words = line.trim().split(' ');
    const [name = '', kind = '', scope] = words;
    const attributes = new Map(words.slice(2).map((word) => splitOnce(word)));
    const list = (key: string): string[] => attributes.get(key)?.split(',') ?? [];
    const verbs = attributes.get('verbs') === '*' ? ALL_VERBS : (list('verbs') as Verb[]);
    if (line.startsWith('group ')) {
      group = kind === 'core' ? '' : kind;
      version = scope ?? '';
      removed = readRemoval(words[3]);
    } else if (line.startsWith('  ')) {
      facts.at(-1)?.subresources.push({
        name,
        kind,
        ...SUBRESOURCE_KINDS[kind],
        verbs,
        ...(scope === 'connect' ? { connect: true } : {}),
      });
    } else {
      const type = { group, version, resource: name, kind, namespaced: scope === 'namespaced' };
      facts.push({
        type,
        verbs,
        shortNames: list('short'),
        categories: list('categories'),
        subresources: [],
        ...(removed === undefined ? {} : { removed }),
      });
    }
  }
  return facts;
}

/** `removed=v1.22,deprecated=v1.14` */
function readRemoval(word: string | undefined): ResourceFact['removed'] {
  if (word === undefined) return undefined;
  const { removed = '', deprecated = '' } = Object.fromEntries(word.split(',').map((part) => splitOnce(part)));
  return { removed, deprecated };
}

function splitOnce(word: string): [string, string] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
}

function define(fact: ResourceFact, types: ReadonlyMap<string, ResourceType>): ResourceDefinition {
  const { type } = fact;
  const kindKey = `${type.group}/${type.kind}`;
  const scale = fact.subresources.some((one) => one.name === 'scale');
  const stored = storedForm(type, types);
  return {
    type,
    listKind: `${type.kind}List`,
    singular: type.kind.toLowerCase(),
    shortNames: fact.shortNames,
    categories: fact.categories,
    verbs: fact.verbs,
    get schema() {
      return builtinSchema(`${builtinPackage(type.group, type.version)}.${type.kind}`);
    },
    subresources: fact.subresources,
    ...(scale ? { scale: SCALE_PATHS } : {}),
    printer: printerFor(type.group, type.kind) ?? createdAtPrinter,
    strategy: strategies.get(`${type.group}/${type.version}/${type.kind}`) ?? strategies.get(kindKey) ?? NO_RULES,
    selectableFields: selectableFields[kindKey] ?? [],
    ...(stored === undefined ? {} : { storedAs: stored }),
    ...(fact.removed && stored
      ? {
          deprecationWarning: deprecationWarning(type, fact.removed, stored.type),
          removedRelease: fact.removed.removed.replace(/^v/, ''),
        }
      : {}),
    ...(discouraged.has(kindKey) ? { deprecationWarning: discouraged.get(kindKey) ?? '' } : {}),
  };
}

/** Kinds that are served for good, but should not be used any more. */
const discouraged: ReadonlyMap<string, string> = new Map([
  ['/ComponentStatus', 'v1 ComponentStatus is deprecated in v1.19+'],
  ['/Endpoints', 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
]);

function deprecationWarning(
  type: ResourceType,
  { deprecated, removed }: NonNullable<ResourceFact['removed']>,
  replacement: ResourceType,
): string {
  const advice = `use ${apiVersionOf(replacement)} ${replacement.kind}`;
  return `${apiVersionOf(type)} ${type.kind} is deprecated in ${deprecated}+, unavailable in ${removed}+; ${advice}`;
}

const NO_RULES: Strategy = {};

/** All built-in scale subresources; the selector is a LabelSelector, or the plain map of a ReplicationController. */
const SCALE_PATHS: ScalePaths = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.spec.selector',
};

type StoredAs = NonNullable<ResourceDefinition['storedAs']>;
type Conversion = Pick<StoredAs, 'toStored' | 'fromStored'>;

/** Resources that are stored as those of another group. */
const successors: Readonly<Record<string, Conversion & { readonly group: string; readonly version: string }>> = {
  'events.k8s.io/events': { group: '', version: 'v1', toStored: eventToCore, fromStored: eventFromCore },
  'extensions/deployments': {
    group: 'apps',
    version: 'v1',
    toStored: deploymentFromExtensions,
    fromStored: deploymentToExtensions,
  },
  'extensions/ingresses': {
    group: 'networking.k8s.io',
    version: 'v1',
    toStored: ingressFromExtensions,
    fromStored: ingressToExtensions,
  },
};

/** Versions stored as another one of their group are looked for in this order. */
const STORAGE_VERSIONS = ['v2', 'v1', 'v1beta2', 'v1beta1'];

function storedForm(type: ResourceType, types: ReadonlyMap<string, ResourceType>): StoredAs | undefined {
  const successor = successors[`${type.group}/${type.resource}`];
  if (successor !== undefined) {
    const { group, version, ...conversions } = successor;
    const stored = types.get(typeKey({ ...type, group, version }));
    return stored && { type: stored, ...conversions };
  }
  for (const version of STORAGE_VERSIONS) {
    if (version === type.version) return undefined;
    const stored = types.get(typeKey({ ...type, version }));
    if (stored !== undefined) return { type: stored, ...conversion(type, stored) };
  }
  return undefined;
}

function conversion(type: ResourceType, stored: ResourceType): Conversion {
  if (type.group === 'autoscaling') return { toStored: autoscalerFromV1, fromStored: autoscalerToV1 };
  if (type.group === 'resource.k8s.io' && type.version === 'v1beta1' && stored.version === 'v1') {
    return { toStored: resourceFromV1Beta1, fromStored: resourceToV1Beta1 };
  }
  const as = (apiVersion: string) => (object: DeepReadonly<KubeObject>) => ({ ...object, apiVersion }) as KubeObject;
  return { toStored: as(apiVersionOf(stored)), fromStored: as(apiVersionOf(type)) };
}

function typeKey(type: { readonly group: string; readonly version: string; readonly resource: string }): string {
  return `${type.group}/${type.version}/${type.resource}`;
}

/** What other servers add to every cluster, and in the only version that it has. */
const SERVED_BETA: ReadonlySet<string> = new Set(['metrics.k8s.io/v1beta1']);

function isServed({ type, removed }: ResourceFact, config: ReadonlyMap<string, boolean> | undefined): boolean {
  const stability = /alpha/.test(type.version) ? 'alpha' : /beta/.test(type.version) ? 'beta' : 'ga';
  const groupVersion = apiVersionOf(type);
  return (
    config?.get(`${groupVersion}/${type.resource}`) ??
    config?.get(groupVersion) ??
    config?.get(`api/${stability}`) ??
    config?.get('api/all') ??
    (stability === 'ga' || removed !== undefined || SERVED_BETA.has(groupVersion))
  );
}
