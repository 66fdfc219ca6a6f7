import { type Claim, type Class, classNameOf } from './claims-and-volumes.ts';

/** The drivers that have taken the place of what Kubernetes once did itself. */
const MIGRATED: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
};
const IN_TREE = 'kubernetes.io/';

export type Provisioner = { readonly name: string } | { readonly problem: string };

/** Who is to make the volume of a claim, or upstream's text of why nobody can. */
export function provisionerOf(claim: Claim, storageClass: Class | undefined): Provisioner {
  if (storageClass === undefined) {
    return { problem: `storageclass.storage.k8s.io ${JSON.stringify(classNameOf(claim))} not found` };
  }
  const name = MIGRATED[storageClass.provisioner] ?? storageClass.provisioner;
  return name.startsWith(IN_TREE) ? { problem: `no volume plugin matched name: ${name}` } : { name };
}

export function externalProvisioning(name: string): string {
  return (
    `Waiting for a volume to be created either by the external provisioner '${name}' or manually by the system ` +
    'administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
  );
}
