import type { ResourceType } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Exec } from '../../base/exec.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { FieldContext } from '../container/field-values.ts';
import type { Pod, Volume } from '../types.ts';
import type { TokenSource } from './token-source.ts';

/** A volume cannot be set up; the message follows `MountVolume.SetUp failed for volume "x" : `. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}

export interface VolumeDeps {
  /** An object of the pod's namespace; undefined when there is none. */
  readonly object: <T>(type: ResourceType<T>, name: string) => Promise<DeepReadonly<T> | undefined>;
  readonly tokens: TokenSource;
  readonly clock: Clock;
  readonly exec: Exec;
  readonly context: FieldContext;
}

export interface VolumeSetup {
  readonly pod: Pod;
  readonly volume: Volume;
  /** The directory that is this volume's (for kinds that live on the node). */
  readonly dir: string;
  readonly deps: VolumeDeps;
}

export interface MountedVolume {
  readonly hostPath: string;
  /** Containers get it read-only whatever their mount says. */
  readonly readOnly?: boolean;
  /** When the content must be made anew (token rotation), milliseconds since 1970. */
  readonly refreshAtMs?: number;
}

/** One kind of volume. `setUp` is idempotent: it is called again to bring the content up to date. */
export interface VolumePlugin {
  /** Directory name below a pod's volumes, as upstream's kubelet has it. */
  readonly directory: string;
  /** The content must not reach a disk. */
  readonly inMemory: boolean;
  supports(volume: Volume): boolean;
  setUp(setup: VolumeSetup): Promise<MountedVolume>;
  /** Before the directory is removed. */
  tearDown?(dir: string, exec: Exec): Promise<void>;
}
