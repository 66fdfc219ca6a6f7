import type { ResourceType } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Exec } from '../../base/exec.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import type { FieldContext } from '../container/field-values.ts';
import type { Node, Pod, Volume } from '../types.ts';
import type { writeAtomically } from './atomic-writer.ts';
import type { BoundClaim, PersistentVolume } from './claims.ts';
import type { TokenSource } from './token-source.ts';

/** What was being done; `process`: the pod's volume does not lead to one that could be set up. */
export type VolumeStage =
  | 'process'
  | 'SetUp'
  | 'NewMounter initialization'
  | 'NewBlockVolumeMapper initialization'
  | 'NodeAffinity check';

/** A volume cannot be set up. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly stage: VolumeStage;

  constructor(message: string, stage: VolumeStage = 'SetUp', options: ErrorOptions = {}) {
    super(message, options);
    this.stage = stage;
  }
}

/** Where a volume comes from: as a pod or a PersistentVolume says it. */
export type VolumeSource = Omit<Volume, 'name'> & Pick<NonNullable<PersistentVolume['spec']>, 'local'>;

export interface VolumeDeps {
  /** An object of the pod's namespace; undefined when there is none. */
  readonly object: <T>(type: ResourceType<T>, name: string) => Promise<DeepReadonly<T> | undefined>;
  readonly client: Client;
  readonly node: () => Node | undefined;
  readonly tokens: TokenSource;
  readonly clock: Clock;
  readonly exec: Exec;
  readonly context: FieldContext;
}

export interface VolumeSetup {
  readonly pod: Pod;
  readonly source: VolumeSource;
  /** Set when the source is a PersistentVolume's. */
  readonly claim?: BoundClaim;
  /** The directory that is this volume's (for kinds that live on the node). */
  readonly dir: string;
  /** Brings files into a volume's directory. */
  readonly write: typeof writeAtomically;
  readonly deps: VolumeDeps;
}

export interface MountedVolume {
  readonly hostPath: string;
  /** The block device that containers get instead of a directory. */
  readonly device?: string;
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
  supports(source: VolumeSource): boolean;
  setUp(setup: VolumeSetup): Promise<MountedVolume>;
}
