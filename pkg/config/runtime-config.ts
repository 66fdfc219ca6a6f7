import { ConfigError } from './option.ts';

/**
 * `--runtime-config`: `group/version=true`, `group/version/resource=false`, `api/beta=true` and the like; without a value, on.
 * Throws ConfigError.
 */
export function parseRuntimeConfig(entries: readonly string[]): ReadonlyMap<string, boolean> {
  const config = new Map<string, boolean>();
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    const key = equals < 0 ? entry : entry.slice(0, equals);
    const value = equals < 0 ? 'true' : entry.slice(equals + 1);
    if (key === '') throw new ConfigError(`--runtime-config: ${JSON.stringify(entry)} names no API`);
    if (value !== 'true' && value !== 'false')
      throw new ConfigError(`--runtime-config: ${JSON.stringify(value)} of ${key} is not true or false`);
    config.set(key, value === 'true');
  }
  return config;
}
