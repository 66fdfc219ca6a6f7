import { describe, expect, test } from 'vitest';
import { staleFlows } from './conntrack.ts';
import { type Plan, PlanBuilder } from './plan.ts';
import { renderChanges, renderTable } from './render.ts';
import { Ruleset } from './ruleset.ts';

function plan(edit: (plan: PlanBuilder) => void): Plan {
  const builder = new PlanBuilder();
  edit(builder);
  return builder;
}

/** The commands that the last edits need. */
function commands(ruleset: Ruleset): string[] {
  return renderChanges('t', ruleset.takeChanges()).trim().split('\n').filter(Boolean);
}

const web = plan((builder) => {
  builder.sets.set('clients', 'type ipv4_addr;');
  builder.chains.set('web', ['goto x']);
  builder.element('service4', 'k', 'goto web');
});

describe('changes', () => {
  test('are added and removed in the order that references need', () => {
    const ruleset = new Ruleset();
    ruleset.set('a', web);
    expect(commands(ruleset)).toEqual([
      'add set inet t clients { type ipv4_addr; }',
      'add chain inet t web',
      'add rule inet t web goto x',
      'add element inet t service4 { k : goto web }',
    ]);
    ruleset.set('a', web);
    expect(commands(ruleset)).toEqual([]);
    ruleset.set('a', undefined);
    expect(commands(ruleset)).toEqual([
      'delete element inet t service4 { k }',
      'flush chain inet t web',
      'delete chain inet t web',
      'delete set inet t clients',
    ]);
  });

  test('touch only what differs', () => {
    const ruleset = new Ruleset();
    ruleset.set('a', web);
    commands(ruleset);
    ruleset.set(
      'a',
      plan((builder) => {
        builder.sets.set('clients', 'type ipv4_addr;');
        builder.chains.set('web', ['goto y']);
        builder.element('service4', 'k', 'goto web');
      }),
    );
    expect(commands(ruleset)).toEqual(['flush chain inet t web', 'add rule inet t web goto y']);
  });

  test('that cancel each other out are none', () => {
    const ruleset = new Ruleset();
    ruleset.set('a', web);
    ruleset.set('a', undefined);
    expect(commands(ruleset)).toEqual([]);
  });

  test('an element that two want goes to the first, then to the other', () => {
    const ruleset = new Ruleset();
    const wants = (data: string) => plan((builder) => builder.element('node-port4', 'tcp . 1', data));
    ruleset.set('a', wants('goto a'));
    ruleset.set('b', wants('goto b'));
    expect(commands(ruleset)).toEqual(['add element inet t node-port4 { tcp . 1 : goto a }']);
    ruleset.set('a', undefined);
    expect(commands(ruleset)).toEqual([
      'delete element inet t node-port4 { tcp . 1 }',
      'add element inet t node-port4 { tcp . 1 : goto b }',
    ]);
  });

  test('of two that want one frontend all of it goes to who came first, also what he wants later', () => {
    const ruleset = new Ruleset();
    const wants = (owner: string, places: number) =>
      plan((builder) => {
        for (let place = 0; place < places; place++) builder.element(`backend4/${place}`, 'k', owner);
      });
    ruleset.set('a', wants('a', 1));
    ruleset.set('b', wants('b', 2));
    expect(commands(ruleset)).toEqual([
      'add element inet t backend4/0 { k : a }',
      'add element inet t backend4/1 { k : b }',
    ]);
    ruleset.set('a', wants('a', 2));
    expect(commands(ruleset)).toEqual([
      'delete element inet t backend4/1 { k }',
      'add element inet t backend4/1 { k : a }',
    ]);
  });

  test('keep what is shared until nobody wants it', () => {
    const ruleset = new Ruleset();
    const shares = plan((builder) => {
      builder.sharedMaps.set('m', 'type a : b;');
      builder.sharedChains.set('c', ['r']);
    });
    ruleset.set('a', shares);
    ruleset.set('b', shares);
    expect(commands(ruleset)).toEqual([
      'add map inet t m { type a : b; }',
      'add chain inet t c',
      'add rule inet t c r',
    ]);
    ruleset.set('a', undefined);
    expect(commands(ruleset)).toEqual([]);
    ruleset.set(
      'b',
      plan(() => {}),
    );
    expect(commands(ruleset)).toEqual(['flush chain inet t c', 'delete chain inet t c', 'delete map inet t m']);
  });

  test('are everything after the table was lost', () => {
    const ruleset = new Ruleset();
    ruleset.set('a', web);
    const all = commands(ruleset);
    ruleset.forgetApplied();
    expect(commands(ruleset)).toEqual(all);
  });
});

test('the table is replaced in one transaction and touches nothing else', () => {
  const text = renderTable({
    table: 'mine',
    clusterCIDRs: ['10.42.0.0/16'],
    localAddresses: ['10.43.0.10'],
  });
  const lines = text.trim().split('\n');
  expect(lines.slice(0, 3)).toEqual(['add table inet mine', 'delete table inet mine', 'add table inet mine']);
  expect(lines.filter((line) => !/^(add|delete) (table|map|set|chain|rule) inet mine\b/.test(line))).toEqual([]);
  expect(text).toContain(
    'add rule inet mine services ip daddr @service-networks4 ip daddr != 10.43.0.10 ip saddr != 10.42.0.0/16 meta mark set',
  );
});

describe('stale UDP flows', () => {
  const node = { port: 30053 };
  const udp = (endpoints: readonly string[], ...more: readonly { address?: string; port: number }[]) =>
    plan((builder) =>
      builder.udp.set('4/53', {
        frontends: [{ address: '10.43.0.5', port: 53 }, ...more],
        family: 'ipv4',
        endpoints: new Set(endpoints),
      }),
    );
  const deleteFlow = (more: string) => `-D -f ipv4 -p udp ${more}`;
  const [one, two] = ['10.42.0.2 8053', '10.42.0.3 8053'];
  const flowsToOne = [
    deleteFlow('--orig-dst 10.43.0.5 --orig-port-dst 53 --reply-src 10.42.0.2 --reply-port-src 8053'),
    deleteFlow('--orig-port-dst 30053 --reply-src 10.42.0.2 --reply-port-src 8053'),
  ];
  test.each<[string, Plan | undefined, Plan | undefined, readonly string[]]>([
    ['nothing changes', udp([one], node), udp([one], node), []],
    ['a backend comes', udp([one], node), udp([one, two], node), []],
    ['a backend goes', udp([one, two], node), udp([two], node), flowsToOne],
    ['a backend listens elsewhere', udp([one], node), udp(['10.42.0.2 8054'], node), flowsToOne],
    [
      'the first backend comes',
      udp([], node),
      udp([one], node),
      [deleteFlow('--orig-dst 10.43.0.5 --orig-port-dst 53'), deleteFlow('--orig-port-dst 30053')],
    ],
    [
      'the Service is reached in more ways',
      udp([one]),
      udp([one], { address: '192.0.2.9', port: 53 }, node),
      [deleteFlow('--orig-dst 192.0.2.9 --orig-port-dst 53'), deleteFlow('--orig-port-dst 30053')],
    ],
    ['and in fewer', udp([one], node), udp([one]), []],
    ['the Service goes', udp([one], node), undefined, flowsToOne],
  ])('%s', (_, old, next, expected) => {
    expect(staleFlows(old, next).map((args) => args.join(' '))).toEqual(expected);
  });
});
