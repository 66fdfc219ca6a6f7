import type { SigCoverage } from './coverage.ts';

export const sigCli: SigCoverage = {
  sig: 'sig-cli',
  cases: {
    'Kubectl client Guestbook application should create and stop a working application': [
      'test/e2e/kubectl-workloads.test.ts > a guestbook',
    ],
    'Kubectl client Kubectl api-versions should check if v1 is in available api versions': [
      'test/e2e/kubectl-workloads.test.ts > versions and addresses',
    ],
    'Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info':
      ['test/e2e/kubectl-workloads.test.ts > versions and addresses'],
    'Kubectl client Kubectl version should check is all data is printed': [
      'test/e2e/kubectl-workloads.test.ts > versions and addresses',
    ],
    'Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods': [
      'test/e2e/kubectl-workloads.test.ts > a replication controller is described, exposed, annotated, scaled and stopped',
    ],
    'Kubectl client Kubectl expose should create services for rc': [
      'test/e2e/kubectl-workloads.test.ts > a replication controller is described, exposed, annotated, scaled and stopped',
    ],
    'Kubectl client Kubectl patch should add annotations for pods in rc': [
      'test/e2e/kubectl-workloads.test.ts > a replication controller is described, exposed, annotated, scaled and stopped',
    ],
    'Kubectl client Update Demo should create and stop a replication controller': [
      'test/e2e/kubectl-workloads.test.ts > a replication controller is described, exposed, annotated, scaled and stopped',
    ],
    'Kubectl client Update Demo should scale a replication controller': [
      'test/e2e/kubectl-workloads.test.ts > a replication controller is described, exposed, annotated, scaled and stopped',
    ],
    'Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments': [
      'test/e2e/kubectl-workloads.test.ts > a diff tells what an image becomes',
    ],
    'Kubectl client Kubectl label should update the label on a resource': [
      'test/e2e/kubectl-workloads.test.ts > a pod is run, labelled, changed on trial and replaced',
    ],
    "Kubectl client Kubectl replace should update a single-container pod's image": [
      'test/e2e/kubectl-workloads.test.ts > a pod is run, labelled, changed on trial and replaced',
    ],
    'Kubectl client Kubectl run pod should create a pod from an image when restart is Never': [
      'test/e2e/kubectl-workloads.test.ts > a pod is run, labelled, changed on trial and replaced',
    ],
    'Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods': [
      'test/e2e/kubectl-workloads.test.ts > a pod is run, labelled, changed on trial and replaced',
    ],
    'Kubectl client Proxy server should support --unix-socket=/path': [
      'test/e2e/kubectl-workloads.test.ts > a proxy on a free port, and one on a socket',
    ],
    'Kubectl client Proxy server should support proxy with --port 0': [
      'test/e2e/kubectl-workloads.test.ts > a proxy on a free port, and one on a socket',
    ],
    'Kubectl logs logs should be able to retrieve and filter logs': [
      'test/e2e/kubectl-workloads.test.ts > logs since a second, a day',
      'test/e2e/kubectl.test.ts > logs: whole, tail, since, follow, previous',
    ],
  },
};
