import { timingSafeEqual } from 'node:crypto';
import { resources } from '../../api/generated/resources.ts';
import type { Clock } from '../../base/clock.ts';
import type { AuthenticatedUser, ObjectReader } from '../contract.ts';
import type { TokenAuthenticator } from './bearer-token.ts';

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** `<id>.<secret>` tokens kept in Secrets `kube-system/bootstrap-token-<id>`, with which new nodes ask for certificates. */
export class BootstrapTokens implements TokenAuthenticator {
  readonly #reader: ObjectReader;
  readonly #clock: Clock;

  constructor(deps: { readonly reader: ObjectReader; readonly clock: Clock }) {
    this.#reader = deps.reader;
    this.#clock = deps.clock;
  }

  authenticateToken(token: string): AuthenticatedUser | undefined {
    const match = TOKEN.exec(token);
    if (match === null) return undefined;
    const [, id = '', secret = ''] = match;
    const object = this.#reader.get(resources.secrets, { namespace: 'kube-system', name: `bootstrap-token-${id}` });
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return undefined;
    if (object.type !== 'bootstrap.kubernetes.io/token') return undefined;
    const value = (key: string): string => Buffer.from(object.data?.[key] ?? '', 'base64').toString('utf8');
    if (value('token-id') !== id || !equal(value('token-secret'), secret)) return undefined;
    const expiration = value('expiration');
    if (expiration !== '' && !(Date.parse(expiration) > this.#clock.now())) return undefined;
    if (value('usage-bootstrap-authentication') !== 'true') return undefined;
    const extra = value('auth-extra-groups')
      .split(',')
      .filter((group) => group !== '');
    if (extra.some((group) => !GROUP.test(group))) return undefined;
    return { user: { username: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extra] } };
  }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
