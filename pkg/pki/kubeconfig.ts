import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readIfExists, writeAtomically } from './files.ts';

export interface KubeconfigOptions {
  /** `https://127.0.0.1:6443`. */
  readonly server: string;
  readonly certificateAuthorityPEM: string;
  readonly clientCertificatePEM: string;
  readonly clientKeyPEM: string;
  /** The name of the cluster, user and context. */
  readonly name?: string;
}

/** A kubeconfig with everything inside, for kubectl and client libraries. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const name = JSON.stringify(options.name ?? 'default');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
- name: ${name}
  cluster:
    certificate-authority-data: ${base64(options.certificateAuthorityPEM)}
    server: ${JSON.stringify(options.server)}
users:
- name: ${name}
  user:
    client-certificate-data: ${base64(options.clientCertificatePEM)}
    client-key-data: ${base64(options.clientKeyPEM)}
contexts:
- name: ${name}
  context:
    cluster: ${name}
    user: ${name}
current-context: ${name}
`;
}

/** Writes a kubeconfig (0600) where it is not there already with the same text. */
export async function writeKubeconfig(path: string, options: KubeconfigOptions): Promise<void> {
  const text = renderKubeconfig(options);
  if ((await readIfExists(path)) === text) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeAtomically(path, text, 0o600);
}
