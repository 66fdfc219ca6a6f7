import { expect, it, test } from 'vitest';
import { claimExpressionErrors, expressionErrors } from './device-expressions.ts';

it.each([
  ['device.driver == "gpu.example.com"', ''],
  ['device.attributes["gpu.example.com"].model == "a" && device.attributes["x"].?free.orValue(true)', ''],
  ['device.attributes["gpu.example.com"].shared', ''],
  ['device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0', ''],
  ['cel.bind(gpu, device.attributes["gpu.example.com"], gpu.a && semver("1.0.0").isLessThan(gpu.version))', ''],
  ['device.attributes.exists(d, d.startsWith("gpu"))', ''],
  ['device.name == "a"', 'compilation failed: .*undefined field .name.'],
  ['device.driver ==', 'compilation failed: .*Syntax error'],
  ['device.driver', 'must evaluate to bool or the unknown type, not string'],
  [
    'device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a + b != c + d))))',
    'too complex, exceeds cost limit',
  ],
])('%s', async (expression, expected) => {
  const errors = await expressionErrors([['at', [{ cel: { expression } }]]]);
  expect(errors).toHaveLength(expected === '' ? 0 : 1);
  for (const { field, message } of errors) {
    expect(field).toBe('at[0].cel.expression');
    expect(message).toMatch(new RegExp(expected, 's'));
  }
});

test('selectors of requests and of their alternatives', async () => {
  const selectors = [
    { cel: { expression: 'true' } },
    { cel: { expression: '1' } },
    { cel: { expression: 'x'.repeat(20_000) } },
  ];
  const requests = [
    { name: 'a', exactly: { deviceClassName: 'c', selectors } },
    { name: 'b', firstAvailable: [{ name: 'c', deviceClassName: 'c', selectors }] },
  ];
  const errors = await claimExpressionErrors({ requests }, 'spec.devices');
  expect(errors.map(({ field }) => field)).toEqual([
    'spec.devices.requests[0].exactly.selectors[1].cel.expression',
    'spec.devices.requests[1].firstAvailable[0].selectors[1].cel.expression',
  ]);
});
