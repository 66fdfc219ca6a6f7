import { Command } from 'commander';
import { buildInfo, KUBERNETES_VERSION } from '../../../pkg/api/version.ts';
import { KUBE_LITE_VERSION } from '../version.ts';

export function versionCommand(): Command {
  return new Command('version').description('print the version').action(() => {
    const { commit, treeState } = buildInfo;
    const source = `${commit.slice(0, 12)}${treeState === 'clean' ? '' : ` ${treeState}`}`;
    console.log(
      `kube-lite ${KUBE_LITE_VERSION} (${source}, Kubernetes ${KUBERNETES_VERSION}, Node.js ${process.version})`,
    );
  });
}
