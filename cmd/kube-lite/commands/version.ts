import { Command } from 'commander';
import { KUBERNETES_VERSION } from '../../../pkg/api/version.ts';
import { KUBE_LITE_VERSION } from '../version.ts';

export function versionCommand(): Command {
  return new Command('version').description('print the version').action(() => {
    console.log(`kube-lite ${KUBE_LITE_VERSION} (Kubernetes ${KUBERNETES_VERSION}, Node.js ${process.version})`);
  });
}
