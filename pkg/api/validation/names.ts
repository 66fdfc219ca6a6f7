/**
 * Checks of names. Each returns what is wrong with the value as texts that follow `Invalid value: "...": `; none means that
 * it is right. Corresponds to apimachinery's util/validation.
 */

/** Returns what is wrong with a value. */
export type NameCheck = (value: string) => string[];

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain1123 = `${label1123}(\\.${label1123})*`;
const subdomain1123Underscore = '[_a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\.[_a-z0-9]([-_a-z0-9]*[a-z0-9])?)*';
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedPart = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualifiedPart})?`;
const wildcard1123 = `\\*\\.${subdomain1123}`;
const identifierC = '[A-Za-z_][A-Za-z0-9_]*';
const envVar = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const configKey = '[-._a-zA-Z0-9]+';
const httpHeader = '[-A-Za-z0-9]+';
const httpPath = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const percent = '[0-9]+%';

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

const label1123Regex = whole(label1123);
const subdomain1123Regex = whole(subdomain1123);
const subdomain1123UnderscoreRegex = whole(subdomain1123Underscore);
const label1035Regex = whole(label1035);
const qualifiedPartRegex = whole(qualifiedPart);
const labelValueRegex = whole(labelValue);
const wildcard1123Regex = whole(wildcard1123);
const identifierCRegex = whole(identifierC);
const envVarRegex = whole(envVar);
const relaxedEnvVarRegex = /^[ -<>-~]+$/;
const configKeyRegex = whole(configKey);
const httpHeaderRegex = whole(httpHeader);
const httpPathRegex = whole(httpPath);
const percentRegex = whole(percent);

const label1123Text = regexText(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  label1123,
  'my-name',
  '123-abc',
);
const subdomain1123Text = regexText(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomain1123,
  'example.com',
);
const subdomain1123UnderscoreText = regexText(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  subdomain1123Underscore,
  'example.com',
);
const label1035Text = regexText(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  label1035,
  'my-name',
  'abc-123',
);
const qualifiedPartText = regexText(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedPart,
  'MyName',
  'my.name',
  '123-abc',
);
const labelValueText = regexText(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  labelValue,
  'MyValue',
  'my_value',
  '12345',
);
const wildcard1123Text = regexText(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  wildcard1123,
  '*.example.com',
);
const identifierCText = regexText(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  identifierC,
  'my_name',
  'MY_NAME',
  'MyName',
);
const configKeyText = regexText(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  configKey,
  'key.name',
  'KEY_NAME',
  'key-name',
);
const httpHeaderText = regexText(
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  httpHeader,
  'X-Header-Name',
);
const percentText = regexText(
  "a valid percent string must be a numeric string followed by an ending '%'",
  percent,
  '1%',
  '93%',
);

/** `text (e.g. 'a',  or 'b', regex used for validation is '...')` */
export function regexText(text: string, pattern: string, ...examples: string[]): string {
  return `${text} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`;
}

export function maxLengthText(length: number): string {
  return `must be no more than ${length} characters`;
}

export function rangeText(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

const encoder = new TextEncoder();

/** Length in bytes of UTF-8. */
export function byteLength(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return encoder.encode(text).length;
  return text.length;
}

function check(value: string, max: number, regex: RegExp, text: string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > max) errors.push(maxLengthText(max));
  if (!regex.test(value)) errors.push(text);
  return errors;
}

export const isDNS1123Label: NameCheck = (value) => {
  const errors = check(value, 63, label1123Regex, '');
  if (errors.at(-1) === '') {
    errors[errors.length - 1] = subdomain1123Regex.test(value) ? 'must not contain dots' : label1123Text;
  }
  return errors;
};

export const isDNS1123Subdomain: NameCheck = (value) => check(value, 253, subdomain1123Regex, subdomain1123Text);

export const isDNS1123SubdomainWithUnderscore: NameCheck = (value) =>
  check(value, 253, subdomain1123UnderscoreRegex, subdomain1123UnderscoreText);

export const isDNS1035Label: NameCheck = (value) => check(value, 63, label1035Regex, label1035Text);

export const isWildcardDNS1123Subdomain: NameCheck = (value) => check(value, 253, wildcard1123Regex, wildcard1123Text);

export const isCIdentifier: NameCheck = (value) => (identifierCRegex.test(value) ? [] : [identifierCText]);

export const isLabelValue: NameCheck = (value) => inBytes(check(value, 63, labelValueRegex, labelValueText));

export const isHTTPHeaderName: NameCheck = (value) => (httpHeaderRegex.test(value) ? [] : [httpHeaderText]);

export const isPercent: NameCheck = (value) => (percentRegex.test(value) ? [] : [percentText]);

/** The checks of labels, newer than the others, count bytes and say so. */
function inBytes(problems: readonly string[]): string[] {
  return problems.map((text) => text.replace(/^(.*must be no more than \d+) characters$/, '$1 bytes'));
}

/** `name` or `prefix.example/name`. */
export const isQualifiedName: NameCheck = (value) => {
  const errors: string[] = [];
  const parts = value.split('/');
  let name = value;
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    name = parts[1] ?? '';
    if (prefix === '') errors.push('prefix part must be non-empty');
    else for (const text of inBytes(isDNS1123Subdomain(prefix))) errors.push(`prefix part ${text}`);
  } else if (parts.length > 2) {
    const text = regexText(
      `a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
      qualifiedPart,
      'MyName',
      'my.name',
      '123-abc',
    );
    return [`${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(...inBytes([`name part ${maxLengthText(63)}`]));
  if (!qualifiedPartRegex.test(name)) errors.push(`name part ${qualifiedPartText}`);
  return errors;
};

/** What may follow the host in a URL. */
export const isHTTPPath: NameCheck = (value) =>
  httpPathRegex.test(value) ? [] : [regexText('Invalid path', httpPath, 'my/path', 'example.com/path')];

/** The name of a container port and the like (RFC 6335). */
export const isValidPortName: NameCheck = (value) => {
  const errors: string[] = [];
  if (value.length > 15) errors.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value !== '' && (value.startsWith('-') || value.endsWith('-'))) {
    errors.push('must not begin or end with a hyphen');
  }
  return errors;
};

/** Any printable ASCII but `=`: what the name of an environment variable may be since v1.34. */
export const isRelaxedEnvVarName: NameCheck = (value) => {
  if (value === '') return ['environment variable name must be non-empty'];
  return relaxedEnvVarRegex.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
};

/** The stricter older rule. */
export const isEnvVarName: NameCheck = (value) => {
  if (!envVarRegex.test(value)) {
    return [
      regexText(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
        envVar,
        'my.env-name',
        'MY_ENV.NAME',
        'MyEnvName1',
      ),
    ];
  }
  return dotNames(value);
};

/** A key of a ConfigMap or Secret. */
export const isConfigMapKey: NameCheck = (value) => {
  const errors: string[] = [];
  if (byteLength(value) > 253) errors.push(maxLengthText(253));
  if (!configKeyRegex.test(value)) errors.push(configKeyText);
  errors.push(...dotNames(value));
  return errors;
};

function dotNames(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  if (value.startsWith('..')) return ["must not start with '..'"];
  return [];
}

/** RBAC names and others that only have to fit into a path. */
export const isPathSegmentName: NameCheck = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((bad) => value.includes(bad)).map((bad) => `may not contain '${bad}'`);
};

export const isValidPortNumber = (port: number): string[] => (port >= 1 && port <= 65535 ? [] : [rangeText(1, 65535)]);

/** The name with the trailing dashes of a generateName masked, as names are checked that a suffix will follow. */
export function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
