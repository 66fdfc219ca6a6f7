import { cloneJSON, type DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CertificateSigningRequest } from '../generated/types.ts';
import { formatTime } from '../time.ts';
import { isPathSegmentName } from '../validation/names.ts';
import { validateRequest, validateRequestUpdate } from './certificatesigningrequest-validation.ts';
import { childObject, dropZero, isZero } from './shape.ts';

type Object = DeepReadonly<CertificateSigningRequest>;

const identityFields = ['username', 'uid', 'groups', 'extra'] as const;
/** CSRs. Who asks is taken from the request, never from the body. */
export const certificateSigningRequestStrategy: Strategy = {
  default(object) {
    dropZero(childObject(object, 'spec'), ['usages', 'groups', 'extra', 'username', 'uid']);
    childObject(object, 'status');
  },
  prepareForCreate(object, { user }) {
    const { spec } = object as unknown as CertificateSigningRequest;
    for (const name of identityFields) delete spec[name];
    if (user) {
      const { username, uid, groups, extra } = user;
      if (username) spec.username = username;
      if (uid) spec.uid = uid;
      if (groups && groups.length > 0) spec.groups = [...groups];
      if (extra && !isZero(extra)) spec.extra = cloneJSON(extra) as Record<string, string[]>;
    }
    object.status = {};
  },
  prepareForUpdate(object, old, { subresource, nowMs }) {
    const request = object as unknown as CertificateSigningRequest;
    const before = old as unknown as Object;
    request.spec = cloneJSON(before.spec) as CertificateSigningRequest['spec'];
    if (subresource === 'status') keepDecisions(request, before);
    if (subresource === 'approval' || subresource === 'status') stampConditions(request, before, nowMs);
    if (subresource !== 'approval') return;
    const status = { ...cloneJSON(before.status ?? {}) };
    if (request.status?.conditions) status.conditions = request.status.conditions;
    else delete status.conditions;
    request.status = status;
  },
  validateName: isPathSegmentName,
  validate: (object) => validateRequest(object as unknown as Object),
  validateUpdate: (object, old, { subresource }) =>
    validateRequestUpdate(object as unknown as Object, old as unknown as Object, subresource),
  selectableFields: (object) => ({ 'spec.signerName': (object as unknown as Object).spec?.signerName ?? '' }),
};

/** Decisions belong to the approvers: unless their number changes, which is refused, they stay as they are. */
function keepDecisions({ status }: CertificateSigningRequest, old: Object): void {
  const conditions = status?.conditions ?? [];
  for (const type of ['Approved', 'Denied']) {
    const before = (old.status?.conditions ?? []).filter((one) => one.type === type);
    if (conditions.filter((one) => one.type === type).length !== before.length) continue;
    for (const [i, condition] of conditions.entries()) {
      const kept = condition.type === type ? before.shift() : undefined;
      if (kept !== undefined) conditions[i] = { ...kept };
    }
  }
}

function stampConditions(request: CertificateSigningRequest, old: Object, nowMs: number): void {
  const now = formatTime(nowMs);
  for (const condition of request.status?.conditions ?? []) {
    if (!condition.lastUpdateTime) condition.lastUpdateTime = now;
    if (condition.lastTransitionTime) continue;
    const before = old.status?.conditions?.find((one) => one.type === condition.type);
    const same = before !== undefined && before.status === condition.status;
    condition.lastTransitionTime = (same && before.lastTransitionTime) || now;
  }
}
