import { X509Certificate } from 'node:crypto';
import type { Expression } from '../../../api/admission/index.ts';
import { isDNS1123Subdomain } from '../../../api/names.ts';
import type { ConfigNode } from '../../../config/index.ts';
import { splitPEM } from '../../../pki/index.ts';
import { TokenExpressions } from './expressions.ts';
import {
  type ClaimRule,
  type IssuerSettings,
  SIGNING_ALGORITHMS,
  type TextMapping,
  type UserRule,
} from './settings.ts';

export const AUTHENTICATION_VERSIONS = [
  'apiserver.config.k8s.io/v1',
  'apiserver.config.k8s.io/v1beta1',
  'apiserver.config.k8s.io/v1alpha1',
] as const;
export const AUTHENTICATION_KIND = 'AuthenticationConfiguration';

export interface AnonymousSettings {
  readonly enabled: boolean;
  /** Requests without credentials are anonymous for these paths only; empty: for all. */
  readonly paths: readonly string[];
}

export interface AuthenticationSettings {
  readonly issuers: readonly IssuerSettings[];
  /** Absent: the file does not say. */
  readonly anonymous: AnonymousSettings | undefined;
}

const MAX_ISSUERS = 64;

/** Reads an AuthenticationConfiguration. Throws ConfigError that names file, line and field. `reserved`: not to be issuers. */
export async function readAuthenticationConfig(
  root: ConfigNode,
  reserved: readonly string[],
): Promise<AuthenticationSettings> {
  root.onlyFields(['jwt', 'anonymous']);
  const nodes = root.field('jwt').items();
  if (nodes.length > MAX_ISSUERS) root.field('jwt').fail(`must have at most ${MAX_ISSUERS} items`);
  const expressions = await TokenExpressions.load();
  const issuers: IssuerSettings[] = [];
  for (const node of nodes) {
    const settings = readIssuer(node, expressions, reserved);
    const issuer = node.field('issuer');
    if (issuers.some(({ url }) => url === settings.url))
      issuer.field('url').fail(`Duplicate value: ${JSON.stringify(settings.url)}`);
    const { discoveryURL } = settings;
    if (discoveryURL !== undefined && issuers.some((other) => other.discoveryURL === discoveryURL))
      issuer.field('discoveryURL').fail(`Duplicate value: ${JSON.stringify(discoveryURL)}`);
    issuers.push(settings);
  }
  return { issuers, anonymous: readAnonymous(root.field('anonymous')) };
}

function readAnonymous(node: ConfigNode): AnonymousSettings | undefined {
  if (!node.present) return undefined;
  node.onlyFields(['enabled', 'conditions']);
  const enabled = node.field('enabled').boolean();
  const paths = node
    .field('conditions')
    .items()
    .map((condition) => {
      condition.onlyFields(['path']);
      return condition.field('path').requiredString();
    });
  if (!enabled && paths.length > 0)
    node.field('conditions').fail('enabled should be set to true when conditions are defined');
  return { enabled, paths };
}

function readIssuer(node: ConfigNode, expressions: TokenExpressions, reserved: readonly string[]): IssuerSettings {
  node.onlyFields(['issuer', 'claimValidationRules', 'claimMappings', 'userValidationRules']);
  const issuer = node.field('issuer');
  issuer.onlyFields([
    'url',
    'discoveryURL',
    'certificateAuthority',
    'audiences',
    'audienceMatchPolicy',
    'egressSelectorType',
  ]);
  const url = readURL(issuer.field('url'));
  if (reserved.includes(url))
    issuer.field('url').fail(`URL must not overlap with disallowed issuers: ${reserved.join()}`);
  const discovery = issuer.field('discoveryURL');
  const discoveryURL = discovery.string() === '' ? undefined : readURL(discovery);
  if (discoveryURL?.replace(/\/+$/, '') === url.replace(/\/+$/, ''))
    discovery.fail('discoveryURL must be different from URL');
  if (issuer.field('egressSelectorType').string() !== '')
    issuer.field('egressSelectorType').fail('egress selectors are not supported');
  const audiences = readAudiences(issuer);
  const certificateAuthority = readAuthority(issuer.field('certificateAuthority'));
  const claimRules = node
    .field('claimValidationRules')
    .items()
    .map((rule) => readClaimRule(rule, expressions));
  checkDuplicates(node.field('claimValidationRules'), claimRules);
  const mappings = readMappings(node.field('claimMappings'), expressions);
  checkEmail(node, mappings, claimRules);
  return {
    url,
    discoveryURL,
    certificateAuthority,
    audiences,
    algorithms: SIGNING_ALGORITHMS,
    claimRules,
    ...mappings,
    userRules: node
      .field('userValidationRules')
      .items()
      .map((rule) => readUserRule(rule, expressions)),
  };
}

function readURL(node: ConfigNode): string {
  const text = node.requiredString();
  if (!URL.canParse(text)) node.fail(`Invalid value: ${JSON.stringify(text)}: is no URL`);
  const { protocol, username, password, search, hash } = new URL(text);
  if (protocol !== 'https:') node.fail('URL scheme must be https');
  if (username !== '' || password !== '') node.fail('URL must not contain a username or password');
  if (search !== '') node.fail('URL must not contain a query');
  if (hash !== '') node.fail('URL must not contain a fragment');
  return text;
}

function readAuthority(node: ConfigNode): string | undefined {
  const text = node.string();
  if (text === '') return undefined;
  try {
    const certificates = splitPEM(text, 'CERTIFICATE').map((pem) => new X509Certificate(pem));
    if (certificates.length === 0) node.fail('holds no certificate');
  } catch {
    node.fail('holds no certificate');
  }
  return text;
}

function readAudiences(issuer: ConfigNode): readonly string[] {
  const node = issuer.field('audiences');
  const audiences = node.items().map((item) => item.requiredString());
  if (audiences.length === 0) node.fail('at least one is required');
  if (new Set(audiences).size < audiences.length) node.fail('has a value twice');
  const policy = issuer.field('audienceMatchPolicy');
  const value = policy.string();
  if (value !== '' && value !== 'MatchAny') policy.fail('must be MatchAny');
  if (audiences.length > 1 && value !== 'MatchAny')
    policy.fail('audienceMatchPolicy must be MatchAny for multiple audiences');
  return audiences;
}

function readClaimRule(node: ConfigNode, expressions: TokenExpressions): ClaimRule {
  node.onlyFields(['claim', 'requiredValue', 'expression', 'message']);
  const claim = node.field('claim').string();
  const expression = node.field('expression');
  if (claim !== '' && expression.string() !== '') node.fail("claim and expression can't both be set");
  if (claim !== '') {
    if (node.field('message').string() !== '') node.field('message').fail('may not be specified when claim is set');
    return { claim, requiredValue: node.field('requiredValue').string() };
  }
  if (expression.string() === '') node.fail('claim or expression is required');
  if (node.field('requiredValue').string() !== '')
    node.field('requiredValue').fail('may not be specified when expression is set');
  return {
    expression: compiled(expression, (text) => expressions.claimRule(text)),
    message: node.field('message').string(),
  };
}

function checkDuplicates(node: ConfigNode, rules: readonly ClaimRule[]): void {
  const keys = rules.map((rule) => ('claim' in rule ? `claim ${rule.claim}` : `expression ${rule.expression.text}`));
  for (const [index, item] of node.items().entries())
    if (keys.indexOf(keys[index] ?? '') < index) item.fail(`Duplicate value: ${keys[index]}`);
}

type Mappings = Pick<IssuerSettings, 'username' | 'groups' | 'uid' | 'extra'>;

function readMappings(node: ConfigNode, expressions: TokenExpressions): Mappings {
  node.onlyFields(['username', 'groups', 'uid', 'extra']);
  const username = readMapping(node.field('username'), (text) => expressions.claimText(text));
  const uid = node.field('uid');
  uid.onlyFields(['claim', 'expression']);
  const uidClaim = uid.field('claim').string();
  const uidExpression = uid.field('expression');
  if (uidClaim !== '' && uidExpression.string() !== '') uid.fail("claim and expression can't both be set");
  const extra = node
    .field('extra')
    .items()
    .map((item) => readExtra(item, expressions));
  const keys = extra.map(({ key }) => key);
  if (new Set(keys).size < keys.length) node.field('extra').fail('has a key twice');
  return {
    username: username ?? node.field('username').fail('claim or expression is required'),
    groups: readMapping(node.field('groups'), (text) => expressions.claimTexts(text)),
    uid:
      uidClaim !== ''
        ? { claim: uidClaim }
        : uidExpression.string() === ''
          ? undefined
          : { expression: compiled(uidExpression, (text) => expressions.claimText(text)) },
    extra,
  };
}

function readMapping(node: ConfigNode, compile: (text: string) => Expression): TextMapping | undefined {
  node.onlyFields(['claim', 'prefix', 'expression']);
  const claim = node.field('claim').string();
  const prefix = node.field('prefix');
  const expression = node.field('expression');
  if (claim !== '' && expression.string() !== '') node.fail("claim and expression can't both be set");
  if (claim === '' && prefix.present) prefix.fail("prefix can't be set when claim is not set");
  if (claim !== '') {
    if (!prefix.present)
      prefix.fail('prefix is required when claim is set. It can be set to an empty string to disable prefixing');
    return { claim, prefix: prefix.string() };
  }
  return expression.string() === '' ? undefined : { expression: compiled(expression, compile) };
}

function readExtra(node: ConfigNode, expressions: TokenExpressions): IssuerSettings['extra'][number] {
  node.onlyFields(['key', 'valueExpression']);
  const keyNode = node.field('key');
  const key = keyNode.requiredString();
  const [domain = '', path = ''] = key.split(/\/(.*)/s);
  if (isDNS1123Subdomain(domain).length > 0 || path === '')
    keyNode.fail(`Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`);
  if (key !== key.toLowerCase()) keyNode.fail(`Invalid value: ${JSON.stringify(key)}: must be lowercase`);
  if (/(^|\.)(k8s|kubernetes)\.io$/.test(domain))
    keyNode.fail('k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use');
  const value = node.field('valueExpression');
  value.requiredString();
  return { key, expression: compiled(value, (text) => expressions.claimTexts(text)) };
}

function readUserRule(node: ConfigNode, expressions: TokenExpressions): UserRule {
  node.onlyFields(['expression', 'message']);
  const expression = node.field('expression');
  expression.requiredString();
  return {
    expression: compiled(expression, (text) => expressions.userRule(text)),
    message: node.field('message').string(),
  };
}

function compiled(node: ConfigNode, compile: (text: string) => Expression): Expression {
  const expression = compile(node.string());
  return expression.problem === undefined ? expression : node.fail(expression.problem);
}

/** Who takes the name from an unverified address lets anybody choose their name. */
function checkEmail(node: ConfigNode, { username, extra }: Mappings, rules: readonly ClaimRule[]): void {
  if (!('expression' in username) || !/\bclaims\.email\b(?!_)/.test(username.expression.text)) return;
  const all = [username.expression, ...extra.map(({ expression }) => expression)];
  for (const rule of rules) if ('expression' in rule) all.push(rule.expression);
  if (all.some(({ text }) => text.includes('claims.email_verified'))) return;
  node
    .field('claimMappings')
    .field('username')
    .field('expression')
    .fail(
      'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
    );
}
