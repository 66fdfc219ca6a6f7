import type {
  MutatingAdmissionPolicy,
  MutatingWebhookConfiguration,
  ParamKind,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../generated/types.ts';
import { goSelectorText } from '../selector-text.ts';
import {
  age,
  ageColumn,
  definePrinter,
  integer,
  nameColumn,
  type Printable,
  type PrinterTable,
  text,
} from './printer.ts';

const webhookConfigurationPrinter = definePrinter<MutatingWebhookConfiguration | ValidatingWebhookConfiguration>(
  [nameColumn, integer('Webhooks', 'How many webhooks it configures.'), ageColumn],
  (configuration, nowMs) => [
    configuration.metadata.name,
    configuration.webhooks?.length ?? 0,
    age(configuration, nowMs),
  ],
);

const paramKindColumn = text('ParamKind', 'The kind of the objects that hold its parameters.');

const validatingPolicyPrinter = definePrinter<ValidatingAdmissionPolicy>(
  [nameColumn, integer('Validations', 'How many rules it checks.'), paramKindColumn, ageColumn],
  (policy, nowMs) => [
    policy.metadata.name,
    policy.spec?.validations?.length ?? 0,
    paramKind(policy.spec?.paramKind),
    age(policy, nowMs),
  ],
);

const mutatingPolicyPrinter = definePrinter<MutatingAdmissionPolicy>(
  [nameColumn, integer('Mutations', 'How many changes it makes.'), paramKindColumn, ageColumn],
  (policy, nowMs) => [
    policy.metadata.name,
    policy.spec?.mutations?.length ?? 0,
    paramKind(policy.spec?.paramKind),
    age(policy, nowMs),
  ],
);

function paramKind(kind: Partial<ParamKind> | undefined): string {
  return kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`;
}

const policyBindingPrinter = definePrinter<ValidatingAdmissionPolicyBinding>(
  [
    nameColumn,
    text('PolicyName', 'The policy that it puts into effect.'),
    text('ParamRef', 'The object with the parameters.'),
    ageColumn,
  ],
  (binding, nowMs) => [binding.metadata.name, binding.spec?.policyName ?? '', paramRef(binding), age(binding, nowMs)],
);

function paramRef(binding: Printable<ValidatingAdmissionPolicyBinding>): string {
  const reference = binding.spec?.paramRef;
  if (reference === undefined) return '<unset>';
  // Parameters without a namespace may be of any.
  if (reference.name) return `${reference.namespace || '*'}/${reference.name}`;
  return reference.selector === undefined ? '<unset>' : goSelectorText(reference.selector);
}

export const admissionregistrationPrinters: PrinterTable = {
  MutatingAdmissionPolicy: mutatingPolicyPrinter,
  MutatingAdmissionPolicyBinding: policyBindingPrinter,
  MutatingWebhookConfiguration: webhookConfigurationPrinter,
  ValidatingAdmissionPolicy: validatingPolicyPrinter,
  ValidatingAdmissionPolicyBinding: policyBindingPrinter,
  ValidatingWebhookConfiguration: webhookConfigurationPrinter,
};
