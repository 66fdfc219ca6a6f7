import type { SigCoverage } from './coverage.ts';

export const sigStorage: SigCoverage = {
  sig: 'sig-storage',
  cases: {
    'CSIInlineVolumes should run through the lifecycle of a CSIDriver': ['test/e2e/objects.test.ts > CSIDriver'],
    'CSIInlineVolumes should support CSIVolumeSource in Pod API': ['test/e2e/objects.test.ts > Pod with a CSI volume'],
    'CSIStorageCapacity should support CSIStorageCapacities API operations': [
      'test/e2e/objects.test.ts > CSIStorageCapacity',
    ],
    'ConfigMap binary data should be reflected in volume': ['test/e2e/pod-contents.test.ts > config-map-binary'],
    'ConfigMap optional updates should be reflected in volume': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'ConfigMap should be consumable from pods in volume': ['test/e2e/pod-contents.test.ts > configMap as it is'],
    'ConfigMap should be consumable from pods in volume as non-root': [
      'test/e2e/pod-contents.test.ts > configMap for a user',
    ],
    'ConfigMap should be consumable from pods in volume with defaultMode set': [
      'test/e2e/pod-contents.test.ts > configMap with defaultMode',
    ],
    'ConfigMap should be consumable from pods in volume with mappings': [
      'test/e2e/pod-contents.test.ts > configMap with items',
    ],
    'ConfigMap should be consumable from pods in volume with mappings and Item mode set': [
      'test/e2e/pod-contents.test.ts > configMap with items of their own mode',
    ],
    'ConfigMap should be consumable from pods in volume with mappings as non-root': [
      'test/e2e/pod-contents.test.ts > configMap with items for a user',
    ],
    'ConfigMap should be consumable in multiple volumes in the same pod': [
      'test/e2e/pod-contents.test.ts > configMap twice',
    ],
    'ConfigMap should be immutable if `immutable` field is set': [
      'test/e2e/objects.test.ts > %s that are immutable change nothing',
    ],
    'ConfigMap updates should be reflected in volume': ['test/e2e/pod-changes.test.ts > volumes follow their objects'],
    "Downward API volume should provide container's cpu limit": ['test/e2e/pod-contents.test.ts > downwardAPI amounts'],
    "Downward API volume should provide container's cpu request": [
      'test/e2e/pod-contents.test.ts > downwardAPI amounts',
    ],
    "Downward API volume should provide container's memory limit": [
      'test/e2e/pod-contents.test.ts > downwardAPI amounts',
    ],
    "Downward API volume should provide container's memory request": [
      'test/e2e/pod-contents.test.ts > downwardAPI amounts',
    ],
    'Downward API volume should provide node allocatable (cpu) as default cpu limit if the limit is not set': [
      'test/e2e/pod-contents.test.ts > downwardAPI amounts of the node',
    ],
    'Downward API volume should provide node allocatable (memory) as default memory limit if the limit is not set': [
      'test/e2e/pod-contents.test.ts > downwardAPI amounts of the node',
    ],
    'Downward API volume should provide podname only': ['test/e2e/pod-contents.test.ts > downwardAPI name'],
    'Downward API volume should set DefaultMode on files': [
      'test/e2e/pod-contents.test.ts > downwardAPI with defaultMode',
    ],
    'Downward API volume should set mode on item file': [
      'test/e2e/pod-contents.test.ts > downwardAPI with an item of its own mode',
    ],
    'Downward API volume should update annotations on modification': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'Downward API volume should update labels on modification': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'EmptyDir volumes pod should support shared volumes between containers': [
      'test/e2e/pod-changes.test.ts > containers share an emptyDir',
    ],
    'EmptyDir volumes should support (non-root,0644,default)': [
      'test/e2e/pod-contents.test.ts > emptyDir user 0644 default',
    ],
    'EmptyDir volumes should support (non-root,0644,tmpfs)': [
      'test/e2e/pod-contents.test.ts > emptyDir user 0644 tmpfs',
    ],
    'EmptyDir volumes should support (non-root,0666,default)': [
      'test/e2e/pod-contents.test.ts > emptyDir user 0666 default',
    ],
    'EmptyDir volumes should support (non-root,0666,tmpfs)': [
      'test/e2e/pod-contents.test.ts > emptyDir user 0666 tmpfs',
    ],
    'EmptyDir volumes should support (non-root,0777,default)': [
      'test/e2e/pod-contents.test.ts > emptyDir user 0777 default',
    ],
    'EmptyDir volumes should support (non-root,0777,tmpfs)': [
      'test/e2e/pod-contents.test.ts > emptyDir user 0777 tmpfs',
    ],
    'EmptyDir volumes should support (root,0644,default)': [
      'test/e2e/pod-contents.test.ts > emptyDir root 0644 default',
    ],
    'EmptyDir volumes should support (root,0644,tmpfs)': ['test/e2e/pod-contents.test.ts > emptyDir root 0644 tmpfs'],
    'EmptyDir volumes should support (root,0666,default)': [
      'test/e2e/pod-contents.test.ts > emptyDir root 0666 default',
    ],
    'EmptyDir volumes should support (root,0666,tmpfs)': ['test/e2e/pod-contents.test.ts > emptyDir root 0666 tmpfs'],
    'EmptyDir volumes should support (root,0777,default)': [
      'test/e2e/pod-contents.test.ts > emptyDir root 0777 default',
    ],
    'EmptyDir volumes should support (root,0777,tmpfs)': ['test/e2e/pod-contents.test.ts > emptyDir root 0777 tmpfs'],
    'EmptyDir volumes volume on default medium should have the correct mode': [
      'test/e2e/pod-contents.test.ts > emptyDir root 0644 default',
    ],
    'EmptyDir volumes volume on tmpfs should have the correct mode': [
      'test/e2e/pod-contents.test.ts > emptyDir root 0644 tmpfs',
    ],
    'EmptyDir wrapper volumes should not cause race condition when used for configmaps': [
      'test/e2e/pod-changes.test.ts > fifty ConfigMaps',
    ],
    'EmptyDir wrapper volumes should not conflict': [
      'test/e2e/pod-contents.test.ts > secret and configMap side by side',
    ],
    'Projected combined should project all components that make up the projection API': [
      'test/e2e/pod-contents.test.ts > combined',
    ],
    'Projected configMap optional updates should be reflected in volume': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'Projected configMap should be consumable from pods in volume': [
      'test/e2e/pod-contents.test.ts > projected configMap',
    ],
    'Projected configMap should be consumable from pods in volume as non-root': [
      'test/e2e/pod-contents.test.ts > projected configMap for a user',
    ],
    'Projected configMap should be consumable from pods in volume with defaultMode set': [
      'test/e2e/pod-contents.test.ts > projected configMap with defaultMode',
    ],
    'Projected configMap should be consumable from pods in volume with mappings': [
      'test/e2e/pod-contents.test.ts > projected configMap with items',
    ],
    'Projected configMap should be consumable from pods in volume with mappings and Item mode set': [
      'test/e2e/pod-contents.test.ts > projected configMap with items of their own mode',
    ],
    'Projected configMap should be consumable from pods in volume with mappings as non-root': [
      'test/e2e/pod-contents.test.ts > projected configMap with items for a user',
    ],
    'Projected configMap should be consumable in multiple volumes in the same pod': [
      'test/e2e/pod-contents.test.ts > projected configMap twice',
    ],
    'Projected configMap updates should be reflected in volume': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    "Projected downwardAPI should provide container's cpu limit": [
      'test/e2e/pod-contents.test.ts > projected downwardAPI amounts',
    ],
    "Projected downwardAPI should provide container's cpu request": [
      'test/e2e/pod-contents.test.ts > projected downwardAPI amounts',
    ],
    "Projected downwardAPI should provide container's memory limit": [
      'test/e2e/pod-contents.test.ts > projected downwardAPI amounts',
    ],
    "Projected downwardAPI should provide container's memory request": [
      'test/e2e/pod-contents.test.ts > projected downwardAPI amounts',
    ],
    'Projected downwardAPI should provide node allocatable (cpu) as default cpu limit if the limit is not set': [
      'test/e2e/pod-contents.test.ts > projected downwardAPI amounts of the node',
    ],
    'Projected downwardAPI should provide node allocatable (memory) as default memory limit if the limit is not set': [
      'test/e2e/pod-contents.test.ts > projected downwardAPI amounts of the node',
    ],
    'Projected downwardAPI should provide podname only': ['test/e2e/pod-contents.test.ts > projected downwardAPI name'],
    'Projected downwardAPI should set DefaultMode on files': [
      'test/e2e/pod-contents.test.ts > projected downwardAPI with defaultMode',
    ],
    'Projected downwardAPI should set mode on item file': [
      'test/e2e/pod-contents.test.ts > projected downwardAPI with an item of its own mode',
    ],
    'Projected downwardAPI should update annotations on modification': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'Projected downwardAPI should update labels on modification': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'Projected secret optional updates should be reflected in volume': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'Projected secret should be consumable from pods in volume': ['test/e2e/pod-contents.test.ts > projected secret'],
    'Projected secret should be consumable from pods in volume as non-root with defaultMode and fsGroup set': [
      'test/e2e/pod-contents.test.ts > projected secret for a user and a group',
    ],
    'Projected secret should be consumable from pods in volume with defaultMode set': [
      'test/e2e/pod-contents.test.ts > projected secret with defaultMode',
    ],
    'Projected secret should be consumable from pods in volume with mappings': [
      'test/e2e/pod-contents.test.ts > projected secret with items',
    ],
    'Projected secret should be consumable from pods in volume with mappings and Item Mode set': [
      'test/e2e/pod-contents.test.ts > projected secret with items of their own mode',
    ],
    'Projected secret should be consumable in multiple volumes in a pod': [
      'test/e2e/pod-contents.test.ts > projected secret twice',
    ],
    'Secrets optional updates should be reflected in volume': [
      'test/e2e/pod-changes.test.ts > volumes follow their objects',
    ],
    'Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace':
      ['test/e2e/pod-contents.test.ts > secret as it is'],
    'Secrets should be consumable from pods in volume': ['test/e2e/pod-contents.test.ts > secret as it is'],
    'Secrets should be consumable from pods in volume as non-root with defaultMode and fsGroup set': [
      'test/e2e/pod-contents.test.ts > secret for a user and a group',
    ],
    'Secrets should be consumable from pods in volume with defaultMode set': [
      'test/e2e/pod-contents.test.ts > secret with defaultMode',
    ],
    'Secrets should be consumable from pods in volume with mappings': [
      'test/e2e/pod-contents.test.ts > secret with items',
    ],
    'Secrets should be consumable from pods in volume with mappings and Item Mode set': [
      'test/e2e/pod-contents.test.ts > secret with items of their own mode',
    ],
    'Secrets should be consumable in multiple volumes in a pod': ['test/e2e/pod-contents.test.ts > secret twice'],
    'Secrets should be immutable if `immutable` field is set': [
      'test/e2e/objects.test.ts > %s that are immutable change nothing',
    ],
    'Subpath Atomic writer volumes should support subpaths with configmap pod': [
      'test/e2e/pod-contents.test.ts > subPath of a configMap',
    ],
    'Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file': [
      'test/e2e/pod-contents.test.ts > subPath of a configMap over a file',
    ],
    'Subpath Atomic writer volumes should support subpaths with downward pod': [
      'test/e2e/pod-contents.test.ts > subPath of a downwardAPI',
    ],
    'Subpath Atomic writer volumes should support subpaths with projected pod': [
      'test/e2e/pod-contents.test.ts > subPath of a projected volume',
    ],
    'Subpath Atomic writer volumes should support subpaths with secret pod': [
      'test/e2e/pod-contents.test.ts > subPath of a secret',
    ],
  },
};
