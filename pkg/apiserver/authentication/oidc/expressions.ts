import { compileExpression, type Expression } from '../../../api/admission/index.ts';
import {
  type CELError,
  celTypes,
  DECL_DYN,
  DECL_STRING,
  type DeclType,
  Environment,
  kubernetesLibraries,
  loadRegexEngine,
  objectOf,
  PER_CALL_LIMIT,
  toJSON,
} from '../../../api/cel/index.ts';
import type { UserInfo } from '../../../api/user.ts';
import type { Claims } from '../jwt.ts';

const TEXTS: DeclType = {
  type: celTypes.listOf(celTypes.STRING),
  maxElements: 0,
  minSerializedSize: 2,
  element: DECL_STRING,
};
const CLAIMS: DeclType = {
  type: celTypes.mapOf(celTypes.STRING, celTypes.DYN),
  maxElements: 0,
  minSerializedSize: 2,
  element: DECL_DYN,
};
const EXTRA: DeclType = {
  type: celTypes.mapOf(celTypes.STRING, TEXTS.type),
  maxElements: 0,
  minSerializedSize: 2,
  element: TEXTS,
};
const USER = objectOf(
  'kubernetes.UserInfo',
  new Map(
    Object.entries({ username: DECL_STRING, uid: DECL_STRING, groups: TEXTS, extra: EXTRA }).map(([name, decl]) => [
      name,
      { jsonName: name, decl, required: false },
    ]),
  ),
);

const BOOLEAN = [celTypes.BOOL, celTypes.DYN];
const TEXT = [celTypes.STRING, celTypes.DYN];
const TEXT_OR_TEXTS = [celTypes.STRING, celTypes.listOf(celTypes.STRING), celTypes.listOf(celTypes.DYN), celTypes.DYN];

/** Compiles and evaluates the expressions of JWT authenticators, about the claims of a token or the user made from them. */
export class TokenExpressions {
  readonly #claims: Environment;
  readonly #user: Environment;

  private constructor(base: Environment) {
    this.#claims = base.extend(new Map([['claims', { type: CLAIMS.type, decl: CLAIMS }]]));
    this.#user = base.extend(new Map([['user', { type: USER.type, decl: USER }]]));
  }

  /** Loads the expression language. */
  static async load(): Promise<TokenExpressions> {
    const libraries = kubernetesLibraries(await loadRegexEngine());
    return new TokenExpressions(new Environment({ variables: new Map(), libraries }));
  }

  claimRule(text: string): Expression {
    return compileExpression(this.#claims, text, BOOLEAN);
  }

  claimText(text: string): Expression {
    return compileExpression(this.#claims, text, TEXT);
  }

  claimTexts(text: string): Expression {
    return compileExpression(this.#claims, text, TEXT_OR_TEXTS);
  }

  userRule(text: string): Expression {
    return compileExpression(this.#user, text, BOOLEAN);
  }
}

/** The JSON value of an expression about claims. Throws an Error that says what is wrong. */
export function evaluateClaims(expression: Expression, claims: Claims): unknown {
  return evaluate(expression, 'claims', claims);
}

/** The JSON value of an expression about a user. Throws an Error that says what is wrong. */
export function evaluateUser(expression: Expression, { username, uid = '', groups, extra = {} }: UserInfo): unknown {
  return evaluate(expression, 'user', { username, uid, groups, extra });
}

function evaluate({ text, program, problem }: Expression, name: string, value: unknown): unknown {
  if (program === undefined) throw new Error(problem);
  try {
    return toJSON(program.evaluate(new Map([[name, value]]), { costLimit: PER_CALL_LIMIT }).value);
  } catch (error) {
    throw new Error(`expression '${text}' resulted in error: ${(error as CELError).message}`, { cause: error });
  }
}
