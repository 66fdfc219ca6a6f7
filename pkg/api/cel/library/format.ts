import { matchesFormat } from '../../schema/formats.ts';
import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isLabelValue,
  isQualifiedName,
  maskTrailingDash,
  type NameCheck,
} from '../../validation/names.ts';
import { requestURIRefusal } from '../../validation/request-uri.ts';
import { type Library, overload } from '../declarations.ts';
import { NONE } from '../runtime.ts';
import { type CelType, opaqueType } from '../types.ts';
import { ArrayList, HostValue, OptionalValue, type Value } from '../values.ts';

const TYPE = 'kubernetes.NamedFormat';

/** A named check of texts. */
class FormatValue extends HostValue {
  readonly type: CelType = opaqueType(TYPE);
  readonly name: string;
  readonly check: NameCheck;
  /** What costs take as the length of its pattern. */
  readonly maxRegexSize: number;

  constructor(name: string, maxRegexSize: number, check: NameCheck) {
    super();
    this.name = name;
    this.check = check;
    this.maxRegexSize = maxRegexSize;
  }

  equals(other: HostValue): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

const prefixOf =
  (check: NameCheck): NameCheck =>
  (value) =>
    check(maskTrailingDash(value));
const known =
  (format: string, text: string): NameCheck =>
  (value) =>
    matchesFormat(format, value) ? [] : [text];

function formats(): FormatValue[] {
  return [
    new FormatValue('dns1123Label', 30, isDNS1123Label),
    new FormatValue('dns1123Subdomain', 60, isDNS1123Subdomain),
    new FormatValue('dns1035Label', 30, isDNS1035Label),
    new FormatValue('qualifiedName', 60, isQualifiedName),
    new FormatValue('dns1123LabelPrefix', 30, prefixOf(isDNS1123Label)),
    new FormatValue('dns1123SubdomainPrefix', 60, prefixOf(isDNS1123Subdomain)),
    new FormatValue('dns1035LabelPrefix', 30, prefixOf(isDNS1035Label)),
    new FormatValue('labelValue', 40, isLabelValue),
    new FormatValue('uri', 1500, uri),
    new FormatValue('uuid', 83, known('uuid', 'does not match the UUID format')),
    new FormatValue('byte', 87, known('byte', 'invalid base64')),
    new FormatValue('date', 72, known('date', 'invalid date')),
    new FormatValue('datetime', 72, known('date-time', 'invalid datetime')),
  ];
}

const uri: NameCheck = (value) => {
  const reason = requestURIRefusal(value);
  return reason === undefined ? [] : [`parse ${JSON.stringify(value)}: ${reason}`];
};

/** `format.dns1123Label().validate(text)` and `format.named(name)`. */
export function formatLibrary(): Library {
  const all = formats();
  return {
    name: 'kubernetes.format',
    overloads: [
      ...all.map((format) => overload(`format.${format.name}`, `format.${format.name}() ${TYPE}`, () => format)),
      overload('format-named', `format.named(string) optional<${TYPE}>`, (name: string): Value => {
        const format = all.find((candidate) => candidate.name === name);
        return format === undefined ? NONE : new OptionalValue(format);
      }),
      overload(
        'format-validate',
        `${TYPE}#validate(string) optional<list<string>>`,
        (format: FormatValue, text: string): Value => {
          const errors = format.check(text);
          return errors.length === 0 ? NONE : new OptionalValue(new ArrayList(errors));
        },
      ),
    ],
  };
}
