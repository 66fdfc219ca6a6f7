import type { UserInfo } from '../../../api/user.ts';
import type { Claims } from '../jwt.ts';
import { evaluateClaims, evaluateUser } from './expressions.ts';
import type { ClaimRule, IssuerSettings, TextMapping } from './settings.ts';

/** The user that a verified token's claims stand for. Throws an Error that says which rule they break. */
export function mapClaims(claims: Claims, settings: IssuerSettings): UserInfo {
  for (const rule of settings.claimRules) checkClaims(claims, rule);
  const uid = uidOf(claims, settings);
  const extra = extraOf(claims, settings);
  const user: UserInfo = {
    username: usernameOf(claims, settings.username),
    groups: groupsOf(claims, settings.groups),
    ...(uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
  for (const { expression, message } of settings.userRules) {
    if (evaluateUser(expression, user) === true) continue;
    throw new Error(
      `error evaluating user info validation rule: validation expression '${expression.text}' failed: ${message}`,
    );
  }
  return user;
}

function checkClaims(claims: Claims, rule: ClaimRule): void {
  if ('expression' in rule) {
    const { expression, message } = rule;
    if (evaluateClaims(expression, claims) === true) return;
    throw new Error(`validation expression '${expression.text}' failed: ${message}`);
  }
  const { claim, requiredValue } = rule;
  const value = claims[claim];
  if (value === undefined) throw new Error(`required claim ${claim} not present in ID token`);
  if (typeof value !== 'string') throw new Error(`claim ${claim} is no text`);
  if (value !== requiredValue)
    throw new Error(`required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`);
}

function usernameOf(claims: Claims, mapping: TextMapping): string {
  if ('expression' in mapping) {
    const name = evaluateClaims(mapping.expression, claims);
    if (typeof name !== 'string') throw new Error('the username expression gave no text');
    if (name === '') throw new Error('the username expression gave an empty text');
    return name;
  }
  const { claim, prefix } = mapping;
  const name = claims[claim];
  if (typeof name !== 'string')
    throw new Error(`the username claim ${claim} is ${name === undefined ? 'missing' : 'no text'}`);
  // An address that its issuer did not verify is anybody's.
  if (claim === 'email' && claims['email_verified'] !== undefined && claims['email_verified'] !== true)
    throw new Error('email not verified');
  return prefix + name;
}

function groupsOf(claims: Claims, mapping: TextMapping | undefined): readonly string[] {
  if (mapping === undefined) return [];
  if ('expression' in mapping) return texts(evaluateClaims(mapping.expression, claims), 'the groups expression');
  const value = claims[mapping.claim];
  if (value === undefined) {
    const elsewhere = claims['_claim_names'];
    if (typeof elsewhere === 'object' && elsewhere !== null && mapping.claim in elsewhere)
      throw new Error(`the groups claim ${mapping.claim} is a distributed claim: not supported`);
    return [];
  }
  return texts(value, `the groups claim ${mapping.claim}`, false).map((group) => mapping.prefix + group);
}

function uidOf(claims: Claims, { uid }: IssuerSettings): string {
  if (uid === undefined) return '';
  const value = 'expression' in uid ? evaluateClaims(uid.expression, claims) : claims[uid.claim];
  if (typeof value === 'string') return value;
  throw new Error(value === undefined ? 'the uid claim is missing' : 'the uid is no text');
}

function extraOf(claims: Claims, { extra }: IssuerSettings): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {};
  for (const { key, expression } of extra) {
    const values = texts(evaluateClaims(expression, claims), `the expression of extra ${key}`);
    if (values.length > 0) found[key] = values;
  }
  return found;
}

/** A text or a list of texts; `dropEmpty`: empty ones stand for nothing. */
function texts(value: unknown, what: string, dropEmpty = true): readonly string[] {
  if (value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const found = list.map((item) => {
    if (typeof item !== 'string') throw new Error(`${what} gave neither a text nor a list of texts`);
    return item;
  });
  return dropEmpty ? found.filter((item) => item !== '') : found;
}
