/** The resources whose deletion is answered with the object instead of a Status: upstream's ReturnDeletedObject. */
const WITH_OBJECT: ReadonlySet<string> = new Set([
  '/persistentvolumeclaims',
  '/persistentvolumes',
  '/pods',
  '/podtemplates',
  '/resourcequotas',
  '/serviceaccounts',
  '/services',
  'resource.k8s.io/deviceclasses',
  'resource.k8s.io/resourceclaims',
  'resource.k8s.io/resourceclaimtemplates',
  'resource.k8s.io/resourceslices',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/volumeattachments',
  'storage.k8s.io/volumeattributesclasses',
]);

export function isAnsweredWithObject({
  group,
  resource,
}: {
  readonly group: string;
  readonly resource: string;
}): boolean {
  return WITH_OBJECT.has(`${group}/${resource}`);
}
