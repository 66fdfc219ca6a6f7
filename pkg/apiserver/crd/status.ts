import {
  API_APPROVED_ANNOTATION,
  apiApproval,
  isProtectedGroup,
} from '../../api/kinds/customresourcedefinition-approval.ts';
import { cloneJSON } from '../../base/json.ts';
import { findCondition, isTrue, type NewCondition, withCondition } from './conditions.ts';
import { acceptNames } from './names.ts';
import type { CRD, CRDStatus } from './types.ts';

const APPROVAL_REASONS = {
  missing: 'MissingAnnotation',
  invalid: 'InvalidAnnotation',
  bypassed: 'UnapprovedAnnotation',
  approved: 'ApprovedAnnotation',
} as const;

/** The status that a definition ought to have, given the definitions of its group (itself included). */
export function nextStatus(crd: CRD, inGroup: Iterable<CRD>, nowMs: number): CRDStatus {
  const { acceptedNames, condition } = acceptNames(crd, inGroup);
  let conditions = withCondition(crd.status?.conditions, condition, nowMs);
  conditions = withCondition(conditions, established(conditions, condition.status === 'True'), nowMs);
  const conformance = approvalCondition(crd);
  if (conformance !== undefined) conditions = withCondition(conditions, conformance, nowMs);
  return { ...(cloneJSON(crd.status ?? {}) as CRDStatus), conditions, acceptedNames };
}

/** Once established, a definition stays so. */
function established(conditions: CRDStatus['conditions'], namesAccepted: boolean): NewCondition {
  const message = 'the initial names have been accepted';
  if (isTrue(conditions, 'Established')) {
    const { reason = '', message: old = '' } = findCondition(conditions, 'Established') ?? {};
    return { type: 'Established', status: 'True', reason, message: old };
  }
  return namesAccepted
    ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message }
    : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
}

function approvalCondition(crd: CRD): NewCondition | undefined {
  if (!isProtectedGroup(crd.spec.group)) return undefined;
  const { state, text } = apiApproval(crd.metadata.annotations?.[API_APPROVED_ANNOTATION]);
  return {
    type: 'KubernetesAPIApprovalPolicyConformant',
    status: state === 'approved' ? 'True' : 'False',
    reason: APPROVAL_REASONS[state],
    message: text,
  };
}
