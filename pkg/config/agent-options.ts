import { instanceOptions, NODE_PARTS, nodeOptions } from './node-options.ts';
import type { OptionSpec } from './option.ts';

/** Every setting of `kube-lite agent`, in the order of the help text. */
export const agentOptions = [
  {
    name: 'join',
    type: 'string',
    description: 'the server of the cluster to join, https://HOST:6443',
  },
  {
    name: 'token',
    type: 'string',
    description:
      "the server's token (its DATA-DIR/server/token), or a bootstrap token; needed until the node has joined",
  },
  {
    name: 'ca-hash',
    type: 'string',
    description: 'sha256:HEX of the server CA certificate, for tokens that do not carry it',
  },
  {
    name: 'hollow',
    type: 'int',
    description:
      'instead of joining: so many nodes that only pretend to run their pods, for tests of capacity; needs --kubeconfig',
  },
  { name: 'kubeconfig', type: 'path', description: 'for --hollow: kubeconfig of an administrator of the cluster' },
  {
    name: 'standalone',
    type: 'bool',
    default: false,
    description: 'join no cluster: run the pods of the manifest directories on this machine alone',
  },
  {
    name: 'pod-cidr',
    type: 'cidrs',
    default: ['10.46.0.0/24'],
    description: 'with --standalone: the network of the pods',
  },
  ...instanceOptions,

  ...nodeOptions,
  {
    name: 'disable',
    type: 'list',
    default: [],
    description: `parts to leave out: ${NODE_PARTS.join(', ')}`,
  },
] as const satisfies readonly OptionSpec[];
