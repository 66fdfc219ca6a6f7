import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { chooseVictims, type Need } from './victims.ts';

type Amounts = Record<string, string>;

function pod(name: string, requests: Amounts, more: object = {}): Pod {
  const containers = [{ name: 'a', resources: { requests } }];
  return { metadata: { name, uid: name }, spec: { containers, priority: 0, ...more } } as unknown as Pod;
}
function guaranteed(name: string, amounts: Amounts): Pod {
  return pod(name, amounts, { containers: [{ name: 'a', resources: { requests: amounts, limits: amounts } }] });
}
const critical = pod('critical', {}, { priority: 2_000_000_000 });
const pods = [
  pod('none', {}),
  pod('overhead', {}, { overhead: { cpu: '5' } }),
  pod('tiny', { cpu: '1m', memory: '1' }),
  pod('low', { cpu: '100m', memory: '100' }),
  pod('high', { cpu: '300m', memory: '300' }),
  guaranteed('tinyOwn', { cpu: '1m', memory: '1' }),
  guaranteed('own', { cpu: '100m', memory: '100' }),
  guaranteed('ownHigh', { cpu: '800m', memory: '800' }),
  pod('system', { cpu: '9', memory: '9k' }, { priority: 2_000_000_000 }),
];

function choose(needs: Record<string, number>, from = pods): string[] {
  const list: Need[] = Object.entries(needs).map(([resource, amount]) => ({ resource, amount }));
  return chooseVictims(critical, from, list).map(({ metadata }) => metadata.name);
}

test.each([
  ['nothing is needed', {}, []],
  ['the one that is enough', { cpu: 200 }, ['high']],
  ['the smaller of two that are enough', { cpu: 50, memory: 50 }, ['low']],
  ['as few as can be', { cpu: 350 }, ['high', 'low']],
  ['all burstable ones, and of the guaranteed ones the best', { cpu: 450 }, ['high', 'low', 'own']],
  ['one guaranteed pod makes others unnecessary', { cpu: 700 }, ['ownHigh']],
  ['any pod is one pod less', { pods: 1 }, ['overhead']],
])('%s', (_, needs, expected) => {
  expect(choose(needs)).toEqual(expected);
});

test('what cannot be enough ends nobody', () => {
  expect(() => choose({ cpu: 1400, memory: 10, 'example.com/unit': 3 })).toThrow(
    'no set of running pods found to reclaim resources: [(res: cpu, q: 98), (res: example.com/unit, q: 3), ]',
  );
  expect(() => choose({ pods: 1 }, [critical])).toThrow('[(res: pods, q: 1), ]');
});
