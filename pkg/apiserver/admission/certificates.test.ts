import { beforeEach, describe, expect, it } from 'vitest';
import { AdmissionHarness, typeOf } from './testing/harness.ts';

const signerName = 'example.com/servers';
const user = { username: 'attester', groups: ['system:authenticated'] };
const rbac = 'rbac.authorization.k8s.io';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

/** Lets the user do something with a signer. */
function permit(verb: string, name: string): void {
  const rules = [{ apiGroups: ['certificates.k8s.io'], resources: ['signers'], resourceNames: [name], verbs: [verb] }];
  harness.reader.put(typeOf('clusterroles'), { metadata: { name: 'r' }, rules } as never);
  const subjects = [{ kind: 'User', apiGroup: rbac, name: user.username }];
  const roleRef = { kind: 'ClusterRole', apiGroup: rbac, name: 'r' };
  harness.reader.put(typeOf('clusterrolebindings'), { metadata: { name: 'b' }, subjects, roleRef } as never);
}

describe('ClusterTrustBundleAttest', () => {
  const bundle = (signer?: string): object => ({
    spec: { trustBundle: 'PEM', ...(signer === undefined ? {} : { signerName: signer }) },
  });
  const write = (object: object, oldObject?: object): Promise<unknown> =>
    harness.run('clustertrustbundles', object, { user, ...(oldObject === undefined ? {} : { oldObject }) });

  it.each([
    ['a bundle of nobody', '', '', bundle(), undefined],
    ['who may attest for the signer', 'attest', signerName, bundle(signerName), undefined],
    ['who may attest for all of the domain', 'attest', 'example.com/*', bundle(signerName), undefined],
    ['who may, again', 'attest', signerName, bundle(signerName), bundle(signerName)],
  ])('lets through %s', async (_, verb, name, object, oldObject) => {
    permit(verb, name);
    await write(object, oldObject);
  });

  it.each([
    ['may do nothing', '', '', undefined, `user not permitted to attest for signerName "${signerName}"`],
    ['may only sign', 'sign', signerName, undefined, `user not permitted to attest for signerName "${signerName}"`],
    ['may, but for another signer before', 'attest', '*', bundle('a.b/c'), 'changing signerName is forbidden'],
  ])('refuses who %s', async (_, verb, name, oldObject, reason) => {
    permit(verb, name);
    await expect(write(bundle(signerName), oldObject)).rejects.toThrow(reason);
  });
});
