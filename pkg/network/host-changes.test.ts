import { expect, test } from 'vitest';
import { concerns, filters } from './host-changes.ts';

const own = { own: () => ['10.42.1.0/24', '10.43.0.0/16', '10.43.0.10'], tunnelDevice: 'kl-vxlan' };

test.each([
  ['Deleted 10.42.1.0/24 via 10.42.1.0 dev kl-vxlan onlink', true],
  ['Deleted 10.43.0.0/16 dev lo scope link src 192.0.2.2', true],
  ['Deleted 1: lo    inet 10.43.0.10/32 scope host lo\\       valid_lft forever', true],
  ['Deleted 9: kl-vxlan: <BROADCAST,MULTICAST> mtu 1450 qdisc noop state DOWN group default', true],
  ['2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9000 qdisc noqueue state UP group default', true],
  ['10.42.1.0/24 via 10.42.1.0 dev kl-vxlan onlink', false],
  ['Deleted 10.42.0.5 dev veth1234 scope host', false],
  ['Deleted 7: veth1234@NONE: <BROADCAST,MULTICAST> mtu 1450 state DOWN group default', false],
  ['7: veth1234@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 state UP group default', false],
  ['9: kl-vxlan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 state UNKNOWN group default', false],
  ['', false],
])('%s', (line, expected) => {
  expect(concerns(line, own)).toBe(expected);
});

test.each([
  ['add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }', true],
  ['add chain inet firewalld filter_INPUT { type filter hook input priority filter + 10; policy accept; }', true],
  ['add chain ip nat DOCKER', false],
  ['add chain ip nat PREROUTING { type nat hook prerouting priority dstnat; policy accept; }', false],
  ['delete chain ip filter FORWARD', false],
])('%s', (line, expected) => {
  expect(filters(line)).toBe(expected);
});
