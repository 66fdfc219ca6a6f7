import type { Clock } from '../../base/clock.ts';
import type { CRI, ImageService, RuntimeService } from '../../cri/index.ts';
import type { KubeletMetrics } from '../stats/kubelet-metrics.ts';

type Operations<T> = Readonly<Partial<Record<keyof T & string, string>>>;

/** Upstream's names of the calls. */
const RUNTIME: Operations<RuntimeService> = {
  version: 'version',
  status: 'status',
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandbox: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  updateContainerResources: 'update_container',
  reopenContainerLog: 'reopen_container_log',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  portForward: 'port_forward',
  checkpointContainer: 'checkpoint_container',
  listContainerStats: 'list_container_stats',
  updatePodCIDR: 'update_runtime_config',
};
const IMAGES: Operations<ImageService> = {
  listImages: 'list_images',
  imageStatus: 'image_status',
  pullImage: 'pull_image',
  removeImage: 'remove_image',
  imageFsInfo: 'image_fs_info',
};

type Call = (...args: unknown[]) => Promise<unknown>;

/** The same runtime; its calls are counted and timed. */
export function measuredCRI(cri: CRI, metrics: KubeletMetrics, clock: Clock): CRI {
  const wrap = <T extends object>(service: T, operations: Operations<T>): T => {
    const calls = new Map<string, Call>();
    for (const [name, type] of Object.entries<string | undefined>(operations)) {
      if (type !== undefined) calls.set(name, timed(service, name, type));
    }
    return new Proxy(service, {
      get(target, name) {
        const call = typeof name === 'string' ? calls.get(name) : undefined;
        if (call !== undefined) return call;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  const timed = (service: object, name: string, type: string): Call => {
    return async (...args) => {
      const started = clock.monotonic();
      let failed = true;
      try {
        const answer = await (Reflect.get(service, name) as Call).apply(service, args);
        failed = false;
        return answer;
      } finally {
        metrics.runtimeOperation(type, (clock.monotonic() - started) / 1000, failed);
      }
    };
  };
  return { runtime: wrap(cri.runtime, RUNTIME), images: wrap(cri.images, IMAGES), close: () => cri.close() };
}
