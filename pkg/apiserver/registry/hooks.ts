import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import type { WriteTarget } from './core.ts';

/** Ends what a hook began: called once, with whether the write took place. */
export type HookEnd = (committed: boolean) => void;

/** What a resource does around its writes beyond its strategy, because it needs the state of other objects. */
export interface ResourceHooks {
  /** Before validation of a create; may change the object. Throws StatusError to refuse. */
  beginCreate?(object: KubeObject, target: WriteTarget): HookEnd | undefined;
  /** Before validation of an update of the object itself; may change `object`. */
  beginUpdate?(object: KubeObject, old: DeepReadonly<KubeObject>, target: WriteTarget): HookEnd | undefined;
  /**
   * Changes the object that is to be deleted when its end begins: a copy as far as its own members and those of metadata go,
   * what is below them is to be replaced. True: it must stay until an update lets it go.
   */
  beginDelete?(object: KubeObject): boolean;
  /** Whether an update of an object in deletion still has to keep it, beyond metadata.finalizers. */
  holds?(object: DeepReadonly<KubeObject>): boolean;
}
