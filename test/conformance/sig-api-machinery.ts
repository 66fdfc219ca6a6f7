import type { SigCoverage } from './coverage.ts';

export const sigApiMachinery: SigCoverage = {
  sig: 'sig-api-machinery',
  cases: {
    'Discovery should locate the groupVersion and a resource within each APIGroup': [
      'test/e2e/api-machinery.test.ts > every group has a preferred version, and resources in all of its versions',
    ],
    'Discovery should validate PreferredVersion for each APIGroup': [
      'test/e2e/api-machinery.test.ts > every group has a preferred version, and resources in all of its versions',
    ],
    'Garbage collector should delete RS created by deployment when not orphaning': [
      'test/e2e/api-machinery.test.ts > of a Deployment takes its ReplicaSet and pods, or orphans them',
    ],
    'Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan': [
      'test/e2e/api-machinery.test.ts > of a Deployment takes its ReplicaSet and pods, or orphans them',
    ],
    'Garbage collector should delete pods created by rc when not orphaning': [
      'test/e2e/api-machinery.test.ts > in the background takes pods of a controller',
    ],
    'Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so': [
      'test/e2e/api-machinery.test.ts > in the foreground before it',
    ],
    'Garbage collector should not be blocked by dependency circle': [
      'test/e2e/api-machinery.test.ts > is not held up by a circle',
    ],
    "Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted":
      ['test/e2e/api-machinery.test.ts > keeps what has another owner'],
    'Garbage collector should orphan pods created by rc if delete options say so': [
      'test/e2e/api-machinery.test.ts > orphans pods %s',
    ],
    'Namespaces should apply a finalizer to a Namespace': [
      'test/e2e/api-machinery.test.ts > take finalizers by their subresource',
    ],
    'Namespaces should apply an update to a Namespace': [
      'test/e2e/api-machinery.test.ts > are patched and updated, and have a status that is too',
    ],
    'Namespaces should patch a Namespace': [
      'test/e2e/api-machinery.test.ts > are patched and updated, and have a status that is too',
    ],
    'Namespaces should apply changes to a namespace status': [
      'test/e2e/api-machinery.test.ts > are patched and updated, and have a status that is too',
    ],
    'Namespaces should ensure that all pods are removed when a namespace is deleted': [
      'test/e2e/api-machinery.test.ts > go with their pods and services',
    ],
    'Namespaces should ensure that all services are removed when a namespace is deleted': [
      'test/e2e/api-machinery.test.ts > go with their pods and services',
    ],
    'ResourceQuota should apply changes to a resourcequota status': [
      'test/e2e/quotas.test.ts > have a status that is written on its own, and set right',
    ],
    'ResourceQuota should be able to update and delete ResourceQuota.': [
      'test/e2e/quotas.test.ts > are updated, patched, found by label',
    ],
    'ResourceQuota should manage the lifecycle of a ResourceQuota': [
      'test/e2e/quotas.test.ts > are updated, patched, found by label',
    ],
    'ResourceQuota should create a ResourceQuota and capture the life of a configMap.': [
      'test/e2e/quotas.test.ts > count %s from creation to deletion',
    ],
    'ResourceQuota should create a ResourceQuota and capture the life of a replica set.': [
      'test/e2e/quotas.test.ts > count %s from creation to deletion',
    ],
    'ResourceQuota should create a ResourceQuota and capture the life of a replication controller.': [
      'test/e2e/quotas.test.ts > count %s from creation to deletion',
    ],
    'ResourceQuota should create a ResourceQuota and capture the life of a secret.': [
      'test/e2e/quotas.test.ts > count %s from creation to deletion',
    ],
    'ResourceQuota should create a ResourceQuota and capture the life of a pod.': [
      'test/e2e/quotas.test.ts > count what pods ask for, refuse what is too much',
    ],
    'ResourceQuota should create a ResourceQuota and capture the life of a service.': [
      'test/e2e/quotas.test.ts > count services by their type',
    ],
    'ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated.': [
      'test/e2e/quotas.test.ts > count %s from creation to deletion',
    ],
    'ResourceQuota should verify ResourceQuota with best effort scope.': [
      'test/e2e/quotas.test.ts > of scope %s count its pods only',
    ],
    'ResourceQuota should verify ResourceQuota with terminating scopes.': [
      'test/e2e/quotas.test.ts > of scope %s count its pods only',
    ],
    'Servers with support for Table transformation should return a 406 for a backend which does not implement metadata':
      ['test/e2e/api-machinery.test.ts > what is no object of a list is shown in no table'],
    'Watchers should be able to restart watching from the last resource version observed by the previous watch': [
      'test/e2e/api-machinery.test.ts > begin after a resource version, and go on after the last one seen',
    ],
    'Watchers should be able to start watching from a specific resource version': [
      'test/e2e/api-machinery.test.ts > begin after a resource version, and go on after the last one seen',
      'test/recordings/data/watch.json > watch/from middle',
    ],
    'Watchers should observe add, update, and delete watch notifications on configmaps': [
      'test/e2e/api-machinery.test.ts > see what is added, changed and deleted, by label',
    ],
    'Watchers should observe an object deletion if it stops meeting the requirements of the selector': [
      'test/e2e/api-machinery.test.ts > see an object go that is selected no more',
      'test/recordings/data/watch.json > watch/label selector transitions',
    ],
    'Watchers should receive events on concurrent watches in same order': [
      'test/e2e/api-machinery.test.ts > see the same events in the same order',
    ],
    'server version should find the server version': ['test/e2e/api-machinery.test.ts > the version has numbers'],
    'CustomResourceDefinition Watch CustomResourceDefinition Watch watch on custom resource definition objects': [
      'test/e2e/crd-publishing.test.ts > whose instances are watched',
    ],
    'CustomResourceDefinition resources Simple CustomResourceDefinition creating/deleting custom resource definition objects works':
      ['test/e2e/crd-publishing.test.ts > are published for every group, version and kind, and leave with them'],
    'CustomResourceDefinition resources Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works':
      ['test/e2e/crd-publishing.test.ts > with a status of their own'],
    'CustomResourceDefinition resources Simple CustomResourceDefinition listing custom resource definition objects works':
      ['test/e2e/crd-publishing.test.ts > that are found and deleted by label'],
    'CustomResourceDefinition resources custom resource defaulting for requests and from storage works': [
      'test/e2e/crd-publishing.test.ts > get defaults, from requests and from the store',
    ],
    'CustomResourceDefinition resources should include custom resource definition resources in discovery documents': [
      'test/e2e/api-machinery.test.ts > %s has its resources',
    ],
    'CustomResourcePublishOpenAPI removes definition from spec when one version gets changed to not be served': [
      'test/e2e/crd-publishing.test.ts > when a version is renamed or served no more',
    ],
    'CustomResourcePublishOpenAPI updates the published spec when one version gets renamed': [
      'test/e2e/crd-publishing.test.ts > when a version is renamed or served no more',
    ],
    'CustomResourcePublishOpenAPI works for CRD preserving unknown fields at the schema root': [
      'test/e2e/crd-publishing.test.ts > that any field may be in %s',
    ],
    'CustomResourcePublishOpenAPI works for CRD preserving unknown fields in an embedded object': [
      'test/e2e/crd-publishing.test.ts > that any field may be in %s',
    ],
    'CustomResourcePublishOpenAPI works for CRD without validation schema': [
      'test/e2e/crd-publishing.test.ts > that any field may be in %s',
    ],
    'CustomResourcePublishOpenAPI works for CRD with validation schema': [
      'test/e2e/crd-publishing.test.ts > what is right, what is wrong, and what everything means',
    ],
    'CustomResourcePublishOpenAPI works for multiple CRDs of different groups': [
      'test/e2e/crd-publishing.test.ts > are published for every group, version and kind',
    ],
    'CustomResourcePublishOpenAPI works for multiple CRDs of same group and version but different kinds': [
      'test/e2e/crd-publishing.test.ts > are published for every group, version and kind',
    ],
    'CustomResourcePublishOpenAPI works for multiple CRDs of same group but different versions': [
      'test/e2e/crd-publishing.test.ts > are published for every group, version and kind',
    ],
    'FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema': [
      'test/e2e/crd-publishing.test.ts > of no schema',
    ],
    'FieldValidation should create/apply a valid CR for CRD with validation schema': [
      'test/e2e/crd-publishing.test.ts > of a schema',
    ],
    'FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema': [
      'test/e2e/crd-publishing.test.ts > beside a schema',
    ],
    'FieldValidation should detect duplicates in a CR when preserving unknown fields': [
      'test/e2e/crd-publishing.test.ts > twice',
    ],
    'FieldValidation should detect unknown and duplicate fields of a typed object': [
      'test/e2e/crd-publishing.test.ts > of a built-in kind too',
    ],
    'FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR': [
      'test/e2e/crd-publishing.test.ts > in metadata',
    ],
    'FieldValidation should detect unknown metadata fields of a typed object': [
      'test/e2e/crd-publishing.test.ts > of a built-in kind too',
    ],
  },
};
