import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { AuthenticatedUser } from '../../contract.ts';
import type { TokenAuthenticator } from '../bearer-token.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { JWTTokens } from './jwt-tokens.ts';
import type { IssuerSettings } from './settings.ts';

export interface ConfiguredTokensDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tokens of the issuers that are configured now; others may be at any time. */
export class ConfiguredTokens implements TokenAuthenticator {
  readonly #deps: ConfiguredTokensDeps;
  #issuers: ReadonlyMap<string, { readonly keys: IssuerKeys; readonly tokens: JWTTokens }> = new Map();

  constructor(deps: ConfiguredTokensDeps) {
    this.#deps = deps;
  }

  /** Keys of issuers that stay where they are need not be fetched again. */
  configure(issuers: readonly IssuerSettings[]): void {
    const before = this.#issuers;
    this.#issuers = new Map(
      issuers.map((settings) => {
        const place = placeOf(settings);
        const keys = before.get(place)?.keys ?? new IssuerKeys(settings, this.#deps);
        const tokens = new JWTTokens(settings, {
          clock: this.#deps.clock,
          keys: (isStale) => keys.get(isStale),
        });
        return [place, { keys, tokens }];
      }),
    );
    for (const [place, { keys }] of before) if (!this.#issuers.has(place)) keys.close();
  }

  async authenticateToken(token: string): Promise<AuthenticatedUser | undefined> {
    for (const { tokens } of this.#issuers.values()) {
      const known = await tokens.authenticateToken(token);
      if (known !== undefined) return known;
    }
    return undefined;
  }
}

function placeOf({ url, discoveryURL, certificateAuthority }: IssuerSettings): string {
  return JSON.stringify([url, discoveryURL, certificateAuthority]);
}
