/** Annotations that say something about a pod: most of them older forms of what fields say today. */
import type { DeepReadonly } from '../../base/json.ts';
import type { AppArmorProfile, ObjectMeta, PodSpec, SeccompProfile, Toleration } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { goQuote } from '../validation/go-format.ts';
import { localDescendingPath } from '../validation/values.ts';
import { containersOf } from './pod-containers.ts';
import { validateTolerations } from './scheduling-validation.ts';

type FieldError = field.FieldError;
type Annotations = Readonly<Record<string, string>> | undefined;
type Spec = DeepReadonly<PodSpec>;

export const mirrorAnnotation = 'kubernetes.io/config.mirror';
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
export const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
export const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/';

const tolerationsKey = 'scheduler.alpha.kubernetes.io/tolerations';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const localhostPrefix = 'localhost/';

/** Checks the annotations of a pod or template; `path` is that of the annotations. */
export function validatePodAnnotations(annotations: Annotations, spec: Spec | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const mirror = annotations?.[mirrorAnnotation];
  if (mirror !== undefined && !spec?.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(field.invalid(`${path}[${mirrorAnnotation}]`, mirror, detail));
  }
  if (annotations?.[tolerationsKey]) errors.push(...validateTolerationsText(annotations[tolerationsKey], path));
  const cost = annotations?.[deletionCost];
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(field.invalid(`${path}[${deletionCost}]`, cost, 'must be a 32bit integer'));
  }
  for (const key in annotations ?? {}) {
    if (key !== seccompPod && !key.startsWith(seccompPrefix)) continue;
    errors.push(...validateSeccompText(annotations?.[key] ?? '', `${path}.${key}`));
  }
  for (const key in annotations ?? {}) {
    if (!key.startsWith(appArmorPrefix)) continue;
    errors.push(...validateAppArmorText(annotations?.[key] ?? '', key, spec, `${path}[${key}]`));
  }
  return errors;
}

/** Neither leading zeros nor a plus sign. */
function isInt32(text: string): boolean {
  const value = Number(text);
  return /^(0|-\d+|[1-9]\d*)$/.test(text) && value >= -2_147_483_648 && value <= 2_147_483_647;
}

function validateTolerationsText(text: string, path: string): FieldError[] {
  let tolerations: unknown;
  try {
    tolerations = JSON.parse(text);
  } catch (error) {
    return [field.invalid(path, tolerationsKey, error instanceof Error ? error.message : String(error))];
  }
  if (tolerations === null) return [];
  if (!Array.isArray(tolerations)) return [field.invalid(path, tolerationsKey, 'json: cannot unmarshal into a list')];
  return validateTolerations(tolerations as Toleration[], `${path}.${tolerationsKey}`);
}

function validateSeccompText(profile: string, path: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return [];
  if (profile.startsWith(localhostPrefix)) return localDescendingPath(profile.slice(localhostPrefix.length), path);
  return [field.invalid(path, profile, 'must be a valid seccomp profile')];
}

function validateAppArmorText(profile: string, key: string, spec: Spec | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const name = key.slice(appArmorPrefix.length);
  const known = spec !== undefined && [...containersOf(spec, '')].some(([container]) => container.name === name);
  if (!known) errors.push(field.invalid(path, name, 'container not found'));
  if (!['', 'runtime/default', 'unconfined'].includes(profile) && !profile.startsWith(localhostPrefix)) {
    errors.push(field.invalid(path, profile, `invalid AppArmor profile name: ${goQuote(profile)}`));
  }
  return errors;
}

/** What an update may not do to annotations. */
export function validateAnnotationsUpdate(now: Annotations, old: Annotations, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const fixed = (key: string): string | undefined =>
    key.startsWith(appArmorPrefix)
      ? 'AppArmor annotations'
      : key === mirrorAnnotation
        ? 'mirror pod annotation'
        : undefined;
  for (const key in old ?? {}) {
    const what = fixed(key);
    if (what === undefined || now?.[key] === old?.[key]) continue;
    errors.push(field.forbidden(`${path}[${key}]`, `may not remove or update ${what}`));
  }
  for (const key in now ?? {}) {
    const what = fixed(key);
    if (what === undefined || old?.[key] !== undefined) continue;
    errors.push(field.forbidden(`${path}[${key}]`, `may not add ${what}`));
  }
  return errors;
}

/** Of new pods and templates: where both say something, annotations and fields must say the same. */
export function validateProfilesMatch(
  metadata: DeepReadonly<ObjectMeta> | undefined,
  spec: Spec | undefined,
  path: string,
): FieldError[] {
  const annotations = metadata?.annotations;
  if (!spec || !annotations) return [];
  const errors: FieldError[] = [];
  const own = spec.securityContext?.seccompProfile;
  if (own && annotations[seccompPod] !== undefined) {
    errors.push(...sameProfile(annotations[seccompPod], own, 'seccomp', `${path}.securityContext.seccompProfile`));
  }
  for (const [{ name, securityContext }, at] of containersOf(spec, path)) {
    const text = annotations[`${seccompPrefix}${name}`];
    const profile = securityContext?.seccompProfile;
    if (text === undefined || !profile) continue;
    errors.push(...sameProfile(text, profile, 'seccomp', `${at}.securityContext.seccompProfile`));
  }
  if (spec.os?.name === 'windows') return errors;
  for (const [{ name, securityContext }, at] of containersOf(spec, path)) {
    const text = annotations[`${appArmorPrefix}${name}`];
    const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (text === undefined || !profile) continue;
    errors.push(...sameProfile(text, profile, 'apparmor', `${at}.securityContext.appArmorProfile`));
  }
  return errors;
}

function sameProfile(
  text: string,
  profile: DeepReadonly<SeccompProfile | AppArmorProfile>,
  what: 'seccomp' | 'apparmor',
  path: string,
): FieldError[] {
  const mismatch = [field.forbidden(`${path}.type`, `${what} type in annotation and field must match`)];
  switch (profile.type) {
    case 'Unconfined':
      return text === 'unconfined' ? [] : mismatch;
    case 'RuntimeDefault':
      return text === 'runtime/default' || (what === 'seccomp' && text === 'docker/default') ? [] : mismatch;
    case 'Localhost':
      if (!text.startsWith(localhostPrefix)) return mismatch;
      if (text.slice(localhostPrefix.length) === profile.localhostProfile) return [];
      return [field.forbidden(`${path}.localhostProfile`, `${what} profile in annotation and field must match`)];
    default:
      return [];
  }
}

/** The profile that an AppArmor annotation stands for; undefined for none and for what is not valid. */
export function appArmorOf(text: string): AppArmorProfile | undefined {
  if (text === 'unconfined') return { type: 'Unconfined' };
  if (text === 'runtime/default') return { type: 'RuntimeDefault' };
  const localhostProfile = text.startsWith(localhostPrefix) ? text.slice(localhostPrefix.length) : '';
  if (localhostProfile === '' || localhostProfile !== localhostProfile.trim()) return undefined;
  return { type: 'Localhost', localhostProfile };
}
