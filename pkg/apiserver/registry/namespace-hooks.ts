import type { ResourceHooks } from './hooks.ts';

interface NamespaceLike {
  readonly spec?: { readonly finalizers?: readonly string[] };
}

/** A namespace stays, Terminating, until its content is gone: the namespace controller then empties spec.finalizers. */
export const namespaceHooks: ResourceHooks = {
  beginDelete(object) {
    const held = ((object as NamespaceLike).spec?.finalizers?.length ?? 0) > 0;
    if (held) {
      const status = typeof object['status'] === 'object' && object['status'] !== null ? object['status'] : {};
      object['status'] = { ...status, phase: 'Terminating' };
    }
    return held;
  },
  holds: (object) => ((object as NamespaceLike).spec?.finalizers?.length ?? 0) > 0,
};
