import type { ClusterRoleBinding, RoleBinding } from '../generated/types.ts';
import {
  age,
  ageColumn,
  createdAtPrinter,
  definePrinter,
  nameColumn,
  type Printable,
  type PrinterTable,
  text,
  wide,
} from './printer.ts';

const bindingPrinter = definePrinter<RoleBinding | ClusterRoleBinding>(
  [
    nameColumn,
    text('Role', 'The role that is granted.'),
    ageColumn,
    wide('Users', 'The users that have it.'),
    wide('Groups', 'The groups that have it.'),
    wide('ServiceAccounts', 'The service accounts that have it.'),
  ],
  (binding, nowMs) => [
    binding.metadata.name,
    `${binding.roleRef?.kind ?? ''}/${binding.roleRef?.name ?? ''}`,
    age(binding, nowMs),
    subjects(binding, 'User'),
    subjects(binding, 'Group'),
    subjects(binding, 'ServiceAccount'),
  ],
);

function subjects(binding: Printable<RoleBinding>, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
    .join(', ');
}

export const rbacPrinters: PrinterTable = {
  ClusterRole: createdAtPrinter,
  ClusterRoleBinding: bindingPrinter,
  Role: createdAtPrinter,
  RoleBinding: bindingPrinter,
};
