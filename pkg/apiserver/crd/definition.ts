import type { Printer, ResourceDefinition, SubresourceDefinition, Verb } from '../../api/definition.ts';
import { jsonPathPrinter, type PrinterColumn } from '../../api/printers/index.ts';
import { schemaFromOpenAPI } from '../../api/schema/crd.ts';
import type { Schema } from '../../api/schema.ts';
import { compareVersions } from '../discovery/documents.ts';
import { isTrue } from './conditions.ts';
import { type ConversionDeps, ConversionWebhook } from './conversion-webhook.ts';
import type { LoadRules } from './rule-loader.ts';
import { StoredForm } from './stored-form.ts';
import { customStrategy } from './strategy.ts';
import { type CRD, type CRDVersion, resourceTypeOf, storageVersionOf } from './types.ts';

const VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const SUBRESOURCE_VERBS: readonly Verb[] = ['get', 'patch', 'update'];

/** What the server has to know of the served versions of an established definition. Throws for patterns that do not compile. */
export async function definitionsOf(
  crd: CRD,
  loadRules: LoadRules,
  deps: ConversionDeps,
): Promise<ResourceDefinition[]> {
  const storage = storageVersionOf(crd);
  if (storage === undefined) return [];
  const schemas = new Map<string, Schema>();
  for (const { name, schema } of crd.spec.versions) {
    schemas.set(name, await schemaFromOpenAPI(schema?.openAPIV3Schema ?? { type: 'object' }));
  }
  const type = resourceTypeOf(crd, storage.name);
  const { strategy, webhook } = crd.spec.conversion ?? {};
  const conversion =
    strategy !== 'Webhook' || webhook === undefined ? undefined : new ConversionWebhook(type, webhook, deps);
  const form = new StoredForm({
    type,
    schemas,
    ...(conversion === undefined ? {} : { convert: (objects, version) => conversion.convert(objects, version) }),
  });
  const served = crd.spec.versions.filter((version) => version.served);
  return Promise.all(
    served.map((version) => definitionOf(crd, version, schemas.get(version.name), { form, loadRules })),
  );
}

async function definitionOf(
  crd: CRD,
  version: CRDVersion,
  schema: Schema | undefined,
  { form, loadRules }: { readonly form: StoredForm; readonly loadRules: LoadRules },
): Promise<ResourceDefinition> {
  const type = resourceTypeOf(crd, version.name);
  const compiled: Schema = schema ?? { type: 'object' };
  const names = { ...crd.spec.names, ...crd.status?.acceptedNames };
  const scale = version.subresources?.scale;
  const hasStatus = version.subresources?.status !== undefined;
  const terminating = isTrue(crd.status?.conditions, 'Terminating');
  const rules = hasRules(compiled) ? (await loadRules()).compile(compiled) : undefined;
  return {
    type,
    listKind: names.listKind ?? `${type.kind}List`,
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: VERBS,
    schema: compiled,
    subresources: subresourcesOf(type.kind, hasStatus, scale !== undefined),
    ...(scale === undefined ? {} : { scale }),
    printer: printerOf(version),
    strategy: customStrategy({ type, schema: compiled, rules, scale, hasStatus, terminating }),
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
    storedAs: {
      type: form.type,
      toStored: (object) => form.toStored(object),
      fromStored: (object) => form.fromStored(object, version.name),
      prepare: (objects, to) => form.prepare(objects, to, version.name),
    },
    custom: true,
    ...(terminating ? { terminating } : {}),
    ...(version.deprecated ? { deprecationWarning: deprecationWarning(crd, version) } : {}),
  };
}

function hasRules(schema: Schema): boolean {
  if (schema.constraints?.validations !== undefined) return true;
  const below = [...(schema.properties?.values() ?? []), schema.additionalProperties, schema.items];
  return below.some((one) => one !== undefined && hasRules(one));
}

function subresourcesOf(kind: string, hasStatus: boolean, hasScale: boolean): SubresourceDefinition[] {
  const scale = { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: SUBRESOURCE_VERBS };
  return [...(hasStatus ? [{ name: 'status', kind, verbs: SUBRESOURCE_VERBS }] : []), ...(hasScale ? [scale] : [])];
}

/** Columns that cannot be read are no reason not to show the objects. */
function printerOf(version: CRDVersion): Printer {
  try {
    return jsonPathPrinter(version.additionalPrinterColumns as readonly PrinterColumn[] | undefined);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return jsonPathPrinter();
  }
}

function deprecationWarning(crd: CRD, version: CRDVersion): string {
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const { group, names, versions } = crd.spec;
  const [better] = versions
    .filter((one) => one.served && !one.deprecated && compareVersions(one.name, version.name) < 0)
    .map((one) => one.name)
    .sort(compareVersions);
  const use = better === undefined ? '' : `; use ${group}/${better} ${names.kind}`;
  return `${group}/${version.name} ${names.kind} is deprecated${use}`;
}
