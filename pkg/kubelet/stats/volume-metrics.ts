import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const OPERATION_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
const MEASUREMENT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const OPERATION_LABELS = ['volume_plugin', 'operation_name', 'status', 'migrated'] as const;

/** What is done with a volume; those of block devices are mapped. */
export type VolumeOperation = 'volume_mount' | 'volume_unmount' | 'map_volume' | 'unmap_volume';

/** Numbers of volumes by the plugins that set them up. */
export interface VolumeCounts {
  /** Those that pods are to have. */
  readonly desired: ReadonlyMap<string, number>;
  /** Those that they have. */
  readonly actual: ReadonlyMap<string, number>;
}

/** What a kubelet tells of volumes, with upstream's names. */
export class VolumeMetrics {
  readonly #operations: Histogram<(typeof OPERATION_LABELS)[number]>;
  readonly #measurements: Histogram<'metric_source'>;
  readonly #volumes: Gauge<'plugin_name' | 'state'>;
  readonly #orphans: Gauge;
  readonly #orphanErrors: Gauge;
  readonly #images: Counter;
  readonly #imageMounts: Counter;
  readonly #imageMountErrors: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#operations = new Histogram({
      name: 'storage_operation_duration_seconds',
      help: 'Duration of what is done with volumes.',
      labelNames: [...OPERATION_LABELS],
      buckets: OPERATION_BUCKETS,
      registers,
    });
    this.#measurements = new Histogram({
      name: 'kubelet_volume_metric_collection_duration_seconds',
      help: 'Duration of the measurement of volumes.',
      labelNames: ['metric_source'],
      buckets: MEASUREMENT_BUCKETS,
      registers,
    });
    this.#volumes = new Gauge({
      name: 'volume_manager_total_volumes',
      help: 'Volumes of pods by the plugin that sets them up.',
      labelNames: ['plugin_name', 'state'],
      registers,
    });
    const gauge = (name: string, help: string): Gauge => new Gauge({ name: `kubelet_${name}`, help, registers });
    this.#orphans = gauge('orphan_pod_cleaned_volumes', 'Pods that are gone whose volumes were removed.');
    this.#orphanErrors = gauge('orphan_pod_cleaned_volumes_errors', 'Those of them whose volumes could not be.');
    const counter = (name: string, help: string): Counter => new Counter({ name: `kubelet_${name}`, help, registers });
    this.#images = counter('image_volume_requested_total', 'Images that containers were to have as volumes.');
    this.#imageMounts = counter('image_volume_mounted_succeed_total', 'Mounts of such volumes.');
    this.#imageMountErrors = counter('image_volume_mounted_errors_total', 'Mounts of such volumes that failed.');
  }

  /** A container was to be made with image volumes; `mounts`: how often it has them. */
  imageVolumes(volumes: number, mounts: number, failed: boolean): void {
    this.#images.inc(volumes);
    (failed ? this.#imageMountErrors : this.#imageMounts).inc(mounts);
  }

  /** `plugin`: `kubernetes.io/secret`. */
  operation(plugin: string, operation: VolumeOperation, seconds: number, failed: boolean): void {
    const status = failed ? 'fail-unknown' : 'success';
    const labels = { volume_plugin: plugin, operation_name: operation, status, migrated: 'false' };
    this.#operations.observe(labels, seconds);
  }

  /** `du`: a tree was walked; `statfs`: a file system was asked. */
  measured(source: 'du' | 'statfs', seconds: number): void {
    this.#measurements.observe({ metric_source: source }, seconds);
  }

  orphans(pods: number, failed: number): void {
    this.#orphans.set(pods);
    this.#orphanErrors.set(failed);
  }

  count({ desired, actual }: VolumeCounts): void {
    this.#volumes.reset();
    for (const [state, counts] of [
      ['desired_state_of_world', desired],
      ['actual_state_of_world', actual],
    ] as const) {
      for (const [plugin, count] of counts) this.#volumes.set({ plugin_name: plugin, state }, count);
    }
  }
}
