import { internalError, isStatusError, StatusError } from '../../../api/errors.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { MutatingWebhook } from '../../../api/generated/types.ts';
import { applyJSONPatch } from '../../../api/patch/index.ts';
import { parseExact } from '../../../base/integers.ts';
import { type DeepReadonly, equalJSON } from '../../../base/json.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../../contract.ts';
import type { Versions } from '../matching/versions.ts';
import type { RequestForm } from './admission-review.ts';
import { type HookMatch, Hooks } from './hooks.ts';
import { denied } from './refusals.ts';
import { ReinvocationState } from './reinvocation.ts';
import { RequestForms } from './request-forms.ts';
import { callWebhook } from './webhook-caller.ts';
import { WebhookMetrics } from './webhook-metrics.ts';
import { failureOf, isConcerned, type WebhookPluginDeps } from './webhook-plugin.ts';

const NAME = 'MutatingAdmissionWebhook';

/** Calls the webhooks of MutatingWebhookConfigurations one after the other; each sees what the ones before have changed. */
export function mutatingWebhooks(deps: WebhookPluginDeps): AdmissionPlugin {
  const hooks = Hooks.watch(deps.reader, resources.mutatingwebhookconfigurations, () => deps.versions);
  const metrics = new WebhookMetrics('admit', deps.instruments);
  return {
    name: NAME,
    handles: (operation, definition, subresource) => hooks.matching(operation, definition, subresource).length > 0,
    async admit(attributes) {
      const { operation, definition, subresource, reinvocation } = attributes;
      const state = ReinvocationState.of(NAME, attributes);
      const forms = new RequestForms(attributes, deps.versions);
      for (const match of hooks.matching(operation, definition, subresource)) {
        const { id, webhook } = match.hook;
        if (!(await isConcerned('admit', match, attributes, forms, deps))) continue;
        if (reinvocation.isSecondRound && !state.mustAskAgain(id)) continue;
        if (await mutate(match, attributes, forms, { ...deps, metrics })) {
          forms.reset();
          state.changed(attributes);
        }
        if ((webhook as DeepReadonly<MutatingWebhook>).reinvocationPolicy === 'IfNeeded') state.asked(id);
      }
      state.end(attributes);
    },
  };
}

/** Whether the webhook has changed the object. Throws StatusError when the request is refused. */
async function mutate(
  { hook, definition }: HookMatch,
  attributes: AdmissionAttributes,
  forms: RequestForms,
  deps: WebhookPluginDeps & { readonly metrics: WebhookMetrics },
): Promise<boolean> {
  const { clock, client, metrics, logger, versions } = deps;
  const { operation, reinvocation } = attributes;
  const { name } = hook.webhook;
  const place = `round_${reinvocation.isSecondRound ? 1 : 0}_index_${hook.index}`;
  const names = { configuration: hook.configuration, webhook: name };
  const started = clock.monotonic();
  let refusal: StatusError | undefined;
  let code = 200;
  let changed = false;
  try {
    const form = await forms.in(definition);
    const response = await callWebhook(client, hook, attributes, form, true);
    if (!response.allowed) {
      refusal = denied(name, response.status);
      code = refusal.code;
      metrics.rejected(name, operation, 'no_error', code);
    } else if (response.patch !== undefined) {
      const patch = parsePatch(response.patch);
      if (patch.length > 0) {
        changed = await applyPatch(patch, name, form, attributes, versions);
        const detail = { ...names, patch, patchType: 'JSONPatch' };
        attributes.annotate(`patch.webhook.admission.k8s.io/${place}`, JSON.stringify(detail), true);
      }
    }
  } catch (error) {
    const openAnnotation = `failed-open.mutating.webhook.admission.k8s.io/${place}`;
    ({ refusal, code } = failureOf(error, { hook, attributes, metrics, logger, openAnnotation }));
  }
  const mutation = { ...names, mutated: changed };
  attributes.annotate(`mutation.webhook.admission.k8s.io/${place}`, JSON.stringify(mutation));
  const tookMs = clock.monotonic() - started;
  attributes.waitedForWebhooks(tookMs);
  const seconds = tookMs / 1000;
  metrics.observe({ name, operation, seconds, code, rejected: refusal !== undefined });
  if (refusal !== undefined) throw refusal;
  return changed;
}

/** Throws InternalError for what is no JSON patch. */
function parsePatch(text: string): readonly unknown[] {
  try {
    const patch: unknown = parseExact(text);
    if (Array.isArray(patch)) return patch;
  } catch (error) {
    throw internalError(error);
  }
  throw internalError(new Error('the patch is no list of operations'));
}

/** Applies a webhook's JSON patch to the object in the version that the webhook has seen. */
async function applyPatch(
  patch: readonly unknown[],
  webhook: string,
  form: RequestForm,
  attributes: AdmissionAttributes,
  versions: Versions,
): Promise<boolean> {
  const { definition, subresource } = attributes;
  try {
    if (form.object === undefined) {
      const problem = 'attempted to modify the object, which is not supported for this operation';
      throw internalError(new Error(`admission webhook ${JSON.stringify(webhook)} ${problem}`));
    }
    const patched = applyJSONPatch(form.object, patch);
    const decoded = await versions.decode(patched, form.definition, subresource);
    if (equalJSON(decoded, form.object)) return false;
    attributes.replace(await versions.convert(decoded, form.definition, definition, subresource));
    return true;
  } catch (error) {
    if (isStatusError(error, 'InternalError')) throw error;
    // Patches that do not fit say why in their cause.
    throw internalError(error instanceof StatusError && error.cause !== undefined ? error.cause : error);
  }
}
