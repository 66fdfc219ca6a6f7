import { expect, test } from 'vitest';
import { agentOptions } from './agent-options.ts';
import type { OptionValues } from './option.ts';
import { standaloneConfig } from './standalone-config.ts';

const values = (more: OptionValues): OptionValues => ({
  ...Object.fromEntries(agentOptions.map((spec) => [spec.name, 'default' in spec ? spec.default : undefined])),
  ...more,
});

test('only with --standalone', () => {
  expect(standaloneConfig(values({}), 'h')).toBeUndefined();
  expect(standaloneConfig(values({ standalone: true }), 'h')).toMatchObject({
    nodeName: 'h',
    podCIDRs: ['10.46.0.0/24'],
  });
});

test('what only nodes of a cluster need is refused', () => {
  const config = (): unknown => standaloneConfig(values({ standalone: true, join: 'https://a:1' }), 'h');
  expect(config).toThrow('--join: a standalone agent has no use for it');
});
