/**
 * One setting, known under one name on the command line (`--data-dir`) and in the configuration file (`data-dir:`).
 * The table of all options is the single source for parsing, help texts and refusals.
 */
export interface OptionSpec {
  readonly name: string;
  readonly type: OptionType;
  readonly description: string;
  /** Shown in the help; absent: the setting may be unset. */
  readonly default?: OptionValue;
  /** The value is for nobody else's eyes. */
  readonly secret?: true;
}

/**
 * `list` may be given several times or as a YAML sequence; on the command line commas separate items. `int` and `port`
 * are decimal numbers; `cidrs` and `addresses` are lists checked as IP networks and addresses; `portRange` is `30000-32767`;
 * `duration` is a Go duration (`24h`, `90s`), held in milliseconds; `size` is a quantity of bytes (`512Mi`), held in bytes.
 */
export type OptionType =
  | 'string'
  | 'path'
  | 'bool'
  | 'int'
  | 'port'
  | 'list'
  | 'cidrs'
  | 'addresses'
  | 'address'
  | 'portRange'
  | 'duration'
  | 'size';

export type OptionValue = string | number | boolean | readonly string[] | PortRange;

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export type OptionValues = Readonly<Record<string, OptionValue | undefined>>;

/** A setting that cannot be used; the message is one line and says how to mend it. */
export class ConfigError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ConfigError';
  }
}
