import { expect, test } from 'vitest';
import { agentOptions, ConfigError, hollowConfig, loadOptions } from './index.ts';

async function load(flags: Record<string, unknown>) {
  return hollowConfig(await loadOptions({ specs: agentOptions, flags, file: '/absent', fileRequired: false }), 'host');
}

test('hollow nodes are named after the node', async () => {
  expect(await load({ hollow: '3', kubeconfig: '/k', 'node-label': ['a=b'] })).toMatchObject({
    count: 3,
    kubeconfig: '/k',
    nodeName: 'host',
    nodeLabels: { a: 'b' },
  });
  expect(await load({ join: 'https://s:6443' })).toBeUndefined();
});

test.each([
  [{ hollow: '3' }, "--hollow: name an administrator's kubeconfig with --kubeconfig"],
  [{ hollow: '0', kubeconfig: '/k' }, '--hollow: 0 is not between 1 and 5000'],
  [{ kubeconfig: '/k' }, '--kubeconfig: only hollow nodes use it; agents join by --join'],
  [{ hollow: '1', kubeconfig: '/k', token: 't' }, '--token: hollow nodes have no use for it; leave it out'],
  [{ hollow: '1', kubeconfig: '/k', disable: ['dns'] }, '--disable: hollow nodes have nothing but their kubelets'],
])('%j is refused', async (flags, message) => {
  const failure = await load(flags).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigError);
  expect((failure as Error).message).toBe(message);
});
