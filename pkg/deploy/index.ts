/**
 * Applies the manifests that come with the executable and those in the user's manifests directory, and prunes what leaves
 * them. It knows nothing of what the objects do. Corresponds to no upstream component (k3s has its deploy controller,
 * kubeadm its addons).
 */
export { Deployer, type DeployerDeps, type DeployerOptions, FIELD_MANAGER } from './deployer.ts';
export { type Manifest, ManifestError, type ManifestObject, parseManifest } from './manifest.ts';
export { ManifestDirectory, type ManifestSource } from './manifest-directory.ts';
