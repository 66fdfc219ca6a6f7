import { join } from 'node:path';
import type { InstancePaths } from '../config/index.ts';

/** Every path of one instance; nothing else may make up paths. */
export interface Layout {
  readonly serverDir: string;
  /** The store's directory. */
  readonly databaseDir: string;
  readonly pkiDir: string;
  readonly tokenFile: string;
  /** The EncryptionConfiguration of clusters that began with one. */
  readonly encryptionFile: string;
  /** YAML that is applied by itself: the user's and, below `kube-lite/`, ours. */
  readonly manifestDir: string;
  readonly agentDir: string;
  /** Image archives loaded at start. */
  readonly imageDir: string;
  readonly containerdRootDir: string;
  readonly containerdStateDir: string;
  readonly containerdSocket: string;
  readonly containerdLog: string;
  /** containerd's form of registries.yaml. */
  readonly registryConfigDir: string;
  readonly cniConfigDir: string;
  readonly cniStateDir: string;
  /** The kubelet's root: pods/UID/volumes and the like. */
  readonly kubeletDir: string;
  /** A directory for each hollow node. */
  readonly hollowDir: string;
  /** Volumes of the class `local-path`. */
  readonly storageDir: string;
  readonly payloadDir: string;
  readonly pidFile: string;
  /** There while all parts of the process are running. */
  readonly readyFile: string;
  readonly networkStateFile: string;
  /** Without a cluster: the manifests that are applied by themselves, and what became of their pods. */
  readonly localManifestDir: string;
  readonly podStatesFile: string;
  /** What an agent in the background says. */
  readonly runLog: string;
  /** Without a cluster: the objects that there are. */
  readonly localDatabaseDir: string;
  /** The certificate for names that have none. */
  readonly ingressTLSDir: string;
  /** An agent's certificates and keys, and what it knows of its cluster. */
  readonly agentTLSDir: string;
  /** Of one agent at a time. */
  readonly agentLockDir: string;
  /** With which commands on an agent's machine speak to the API, as its node. */
  readonly agentKubeconfig: string;
}

export function layoutOf(paths: InstancePaths): Layout {
  const serverDir = join(paths.dataDir, 'server');
  const agentDir = join(paths.dataDir, 'agent');
  const containerdStateDir = join(paths.runDir, 'containerd');
  return {
    serverDir,
    databaseDir: join(serverDir, 'db'),
    pkiDir: join(serverDir, 'tls'),
    encryptionFile: join(serverDir, 'encryption.yaml'),
    tokenFile: join(serverDir, 'token'),
    manifestDir: join(serverDir, 'manifests'),
    agentDir,
    imageDir: join(agentDir, 'images'),
    containerdRootDir: join(agentDir, 'containerd'),
    containerdStateDir,
    containerdSocket: join(containerdStateDir, 'containerd.sock'),
    containerdLog: join(agentDir, 'containerd.log'),
    registryConfigDir: join(agentDir, 'registries'),
    cniConfigDir: join(agentDir, 'cni/net.d'),
    cniStateDir: join(agentDir, 'cni/state'),
    kubeletDir: join(agentDir, 'kubelet'),
    hollowDir: join(agentDir, 'hollow'),
    storageDir: join(paths.dataDir, 'storage'),
    payloadDir: join(paths.dataDir, 'payload'),
    pidFile: join(paths.runDir, 'kube-lite.pid'),
    readyFile: join(paths.runDir, 'ready'),
    localManifestDir: join(agentDir, 'manifests'),
    podStatesFile: join(paths.runDir, 'pods.json'),
    runLog: join(paths.dataDir, 'kube-lite.log'),
    localDatabaseDir: join(agentDir, 'db'),
    networkStateFile: join(agentDir, 'network.json'),
    ingressTLSDir: join(agentDir, 'ingress'),
    agentLockDir: join(agentDir, 'lock'),
    agentTLSDir: join(agentDir, 'tls'),
    agentKubeconfig: join(agentDir, 'kubelet.kubeconfig'),
  };
}
