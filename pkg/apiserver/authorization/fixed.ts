import { MASTERS_GROUP } from '../../api/user.ts';
import type { Authorizer } from '../contract.ts';

/** The group system:masters may do everything, whatever else is configured. */
export const privilegedGroups: Authorizer = {
  authorize: ({ user }) =>
    user.groups.includes(MASTERS_GROUP) ? { decision: 'allow', reason: '' } : { decision: 'no-opinion', reason: '' },
};

export const alwaysAllow: Authorizer = { authorize: () => ({ decision: 'allow', reason: '' }) };

export const alwaysDeny: Authorizer = {
  authorize: () => ({ decision: 'no-opinion', reason: 'Everything is forbidden.' }),
};
