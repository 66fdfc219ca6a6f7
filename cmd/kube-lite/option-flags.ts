import { type Command, Option } from 'commander';
import {
  DEFAULT_CONFIG_DIR,
  loadOptions,
  type OptionSpec,
  type OptionValues,
  optionText,
} from '../../pkg/config/index.ts';

const DEFAULT_CONFIG_FILE = `${DEFAULT_CONFIG_DIR}/config.yaml`;

/** Adds a flag for every option of the table, and `--config`. */
export function addOptionFlags(command: Command, specs: readonly OptionSpec[]): Command {
  command.option('--config <file>', `configuration file (default ${DEFAULT_CONFIG_FILE})`);
  for (const spec of specs) {
    const isSwitch = spec.type === 'bool';
    const value = isSwitch ? '[true|false]' : `<${placeholder(spec)}>`;
    const option = new Option(`--${spec.name} ${value}`, spec.description + defaultText(spec));
    if (isSwitch) option.preset('true');
    if (spec.type === 'list' || spec.type === 'cidrs' || spec.type === 'addresses') {
      option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    }
    command.addOption(option);
  }
  return command;
}

/** The values of all options, from defaults, the configuration file and the flags of `command`. */
export function readOptions(command: Command, specs: readonly OptionSpec[]): Promise<OptionValues> {
  const flags: Record<string, unknown> = {};
  for (const spec of specs) {
    const value: unknown = command.getOptionValue(camelCase(spec.name));
    if (value !== undefined) flags[spec.name] = value;
  }
  const file = command.getOptionValue('config') as string | undefined;
  return loadOptions({ specs, flags, file: file ?? DEFAULT_CONFIG_FILE, fileRequired: file !== undefined });
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function placeholder(spec: OptionSpec): string {
  return spec.type === 'string' ? 'text' : spec.type;
}

function defaultText(spec: OptionSpec): string {
  const value = spec.default;
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  return ` (default ${optionText(spec, value)})`;
}
