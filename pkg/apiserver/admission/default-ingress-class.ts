import { resources } from '../../api/generated/resources.ts';
import type { Ingress } from '../../api/generated/types.ts';
import { type Candidate, newestDefault } from '../../api/newest-default.ts';
import type { AdmissionPlugin, ObjectReader } from '../contract.ts';
import { forResource } from './refuse.ts';

/** Ingresses that name no class get the default one. */
export function defaultIngressClass({ reader }: { readonly reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    ...forResource('networking.k8s.io', 'ingresses', 'CREATE'),
    admit(attributes) {
      const ingress = attributes.object as unknown as Ingress;
      if (ingress.spec?.ingressClassName !== undefined) return;
      if (ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return;
      const found = newestDefault(reader.list(resources.ingressclasses) as Iterable<Candidate>, [
        'ingressclass.kubernetes.io/is-default-class',
      ]);
      if (found !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: found };
    },
  };
}
