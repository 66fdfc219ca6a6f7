/** Groups below k8s.io and kubernetes.io need an annotation that says who approved their API. */
export const API_APPROVED_ANNOTATION = 'api-approved.kubernetes.io';

export interface APIApproval {
  readonly state: 'missing' | 'invalid' | 'bypassed' | 'approved';
  /** For conditions and field errors. */
  readonly text: string;
}

export function isProtectedGroup(group: string): boolean {
  return /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group);
}

const KEP = 'https://github.com/kubernetes/enhancements/pull/1111';

/** What the annotation's value says; Go's %q of the value in the text. */
export function apiApproval(value: string | undefined): APIApproval {
  const need = `protected groups must have approval annotation "${API_APPROVED_ANNOTATION}"`;
  if (!value) return { state: 'missing', text: `${need}, see ${KEP}` };
  if (value.startsWith('unapproved')) return { state: 'bypassed', text: `not approved: ${JSON.stringify(value)}` };
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+/i.test(value)) return { state: 'approved', text: `approved in ${value}` };
  return { state: 'invalid', text: `${need} with either a URL or a reason starting with "unapproved", see ${KEP}` };
}
