import type { AdmissionExpressions } from '../../../api/admission/index.ts';

/** A loader of the expression engine, which is loaded for the first expression and shared by all. */
export function expressionLoader(): () => Promise<AdmissionExpressions> {
  let expressions: Promise<AdmissionExpressions> | undefined;
  return () => {
    expressions ??= import('../../../api/admission/index.ts').then((module) => module.AdmissionExpressions.load());
    return expressions;
  };
}
