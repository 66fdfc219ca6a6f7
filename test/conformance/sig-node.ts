import type { SigCoverage } from './coverage.ts';

export const sigNode: SigCoverage = {
  sig: 'sig-node',
  cases: {
    'ConfigMap should be consumable via environment variable': ['test/e2e/pod-contents.test.ts > env of a configMap'],
    'ConfigMap should be consumable via the environment': ['test/e2e/pod-contents.test.ts > env of a whole configMap'],
    'ConfigMap should fail to create ConfigMap with empty key': [
      'test/e2e/objects.test.ts > %s with an empty key are refused',
    ],
    'ConfigMap should run through a ConfigMap lifecycle': ['test/e2e/objects.test.ts > ConfigMap'],
    'Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly': [
      'test/e2e/pod-changes.test.ts > hooks reach a server',
    ],
    'Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly': [
      'test/e2e/pod-changes.test.ts > hooks reach a server',
    ],
    'Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly': [
      'test/e2e/pod-changes.test.ts > hooks reach a server',
      'test/behaviour/data/pods-probes-hooks.json > prestop-ok',
    ],
    'Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly': [
      'test/e2e/pod-changes.test.ts > hooks reach a server',
    ],
    'Container Runtime blackbox test on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set':
      ['test/e2e/pod-contents.test.ts > no message from the log of a success'],
    'Container Runtime blackbox test on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set':
      ['test/e2e/pod-contents.test.ts > message from the file of a success'],
    'Container Runtime blackbox test on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set':
      ['test/e2e/pod-contents.test.ts > message from the log of a failure'],
    'Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path':
      ['test/e2e/pod-contents.test.ts > message of a user at its own path'],
    'Container Runtime blackbox test when starting a container that exits should run with the expected status': [
      'test/e2e/pod-changes.test.ts > the restart policy decides',
    ],
    "Containers should be able to override the image's default arguments (container cmd)": [
      'test/e2e/pod-contents.test.ts > arguments instead of those of the image',
    ],
    "Containers should be able to override the image's default command (container entrypoint)": [
      'test/e2e/pod-contents.test.ts > a command instead of that of the image',
    ],
    "Containers should be able to override the image's default command and arguments": [
      'test/e2e/pod-contents.test.ts > a command and arguments instead of those of the image',
    ],
    'Containers should use the image defaults if command and args are blank': [
      "test/e2e/pod-contents.test.ts > the image's command and arguments",
    ],
    "Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars": [
      'test/e2e/pod-contents.test.ts > env of amounts',
    ],
    'Downward API should provide default limits.cpu/memory from node allocatable': [
      'test/e2e/pod-contents.test.ts > env of amounts of the node',
    ],
    'Downward API should provide host IP as an env var': ['test/e2e/pod-contents.test.ts > env of fields'],
    'Downward API should provide pod UID as env vars': ['test/e2e/pod-contents.test.ts > env of fields'],
    'Downward API should provide pod name, namespace and IP address as env vars': [
      'test/e2e/pod-contents.test.ts > env of fields',
    ],
    'Ephemeral Containers should update the ephemeral containers in an existing pod': [
      'test/e2e/pod-changes.test.ts > ephemeral containers are added',
    ],
    'Ephemeral Containers will start an ephemeral container in an existing pod': [
      'test/e2e/pod-changes.test.ts > ephemeral containers are added',
      'test/e2e/pod-life.test.ts > ephemeral containers see the processes',
    ],
    'InitContainer should invoke init containers on a RestartAlways pod': [
      'test/e2e/pod-changes.test.ts > init containers run before',
    ],
    'InitContainer should invoke init containers on a RestartNever pod': [
      'test/e2e/pod-changes.test.ts > init containers run before',
    ],
    'InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod': [
      'test/e2e/pod-changes.test.ts > init containers run before',
      'test/behaviour/data/pods-lifecycle.json > init-fails-never',
    ],
    'InitContainer should not start app containers if init containers fail on a RestartAlways pod': [
      'test/e2e/pod-changes.test.ts > init containers run before',
      'test/behaviour/data/pods-lifecycle.json > init-fails-always',
    ],
    'Kubelet when scheduling a busybox command in a pod should print the output to logs': [
      'test/e2e/pod-contents.test.ts > stdout and stderr',
    ],
    'Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete': [
      'test/e2e/pod-changes.test.ts > the restart policy decides',
    ],
    'Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason': [
      'test/e2e/pod-changes.test.ts > the restart policy decides',
      'test/behaviour/data/pods-lifecycle.json > crashloop-four-restarts',
    ],
    'Kubelet when scheduling a read only busybox container should not write to root filesystem': [
      'test/e2e/pod-contents.test.ts > a read-only root',
    ],
    'Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts': [
      'test/e2e/pod-contents.test.ts > host aliases',
    ],
    'KubeletManagedEtcHosts should test kubelet managed /etc/hosts file': [
      'test/e2e/pod-contents.test.ts > host aliases',
      'test/e2e/pod-contents.test.ts > hosts of the machine',
      'test/e2e/pod-contents.test.ts > hosts of the host network',
    ],
    'Lease lease API should be available': ['test/e2e/objects.test.ts > Lease'],
    'NoExecuteTaintManager Multiple Pods evicts pods with minTolerationSeconds': [
      'test/behaviour/data/scheduling.json > taint-noexecute',
      'pkg/controllers/node-failure.test.ts > a silent node becomes unreachable',
    ],
    'NoExecuteTaintManager Single Pod removing taint cancels eviction': [
      'pkg/controllers/node-failure.test.ts > a silent node becomes unreachable',
    ],
    'PodTemplates should delete a collection of pod templates': ['test/e2e/objects.test.ts > PodTemplate'],
    'PodTemplates should replace a pod template': ['test/e2e/objects.test.ts > PodTemplate'],
    'PodTemplates should run the lifecycle of PodTemplates': ['test/e2e/objects.test.ts > PodTemplate'],
    'Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu':
      ['test/e2e/objects.test.ts > a pod whose requests are its limits'],
    'Pods should allow activeDeadlineSeconds to be updated': [
      'test/e2e/pod-changes.test.ts > a deadline that is set later',
    ],
    'Pods should be submitted and removed': [
      'test/behaviour/data/pods-lifecycle.json > simple-run',
      'test/recordings/data/watch.json > watch/graceful pod deletion events',
    ],
    'Pods should be updated': ['test/e2e/pod-changes.test.ts > volumes follow their objects'],
    'Pods should contain environment variables for services': ['test/e2e/pod-contents.test.ts > env of services'],
    'Pods should delete a collection of pods': ['test/e2e/objects.test.ts > Pod with a CSI volume'],
    'Pods should get a host IP': [
      'test/e2e/pod-life.test.ts > names, addresses, groups and privileges',
      'test/behaviour/data/pods-lifecycle.json > pod-ips',
    ],
    'Pods should patch a pod status': ['test/recordings/data/crud.json > crud/status subresource pod'],
    'Pods should run through the lifecycle of Pods and PodStatus': [
      'test/behaviour/data/pods-lifecycle.json > simple-run',
      'test/recordings/data/crud.json > crud/status subresource pod',
      'test/recordings/data/crud.json > crud/status put replaces only status',
    ],
    'Pods should support remote command execution over websockets': [
      'test/e2e/pod-changes.test.ts > commands and logs over WebSocket',
    ],
    'Pods should support retrieving logs from the container over websockets': [
      'test/e2e/pod-changes.test.ts > commands and logs over WebSocket',
      'pkg/apiserver/proxy/pass-request.test.ts > may send its body as messages of a WebSocket',
    ],
    'PreStop should call prestop when killing a pod': ['test/e2e/pod-changes.test.ts > hooks reach a server'],
    'Probing container should *not* be restarted with a /healthz http liveness probe': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container should *not* be restarted with a GRPC liveness probe': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container should *not* be restarted with a tcp:8080 liveness probe': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container should be restarted with a /healthz http liveness probe': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container should be restarted with a GRPC liveness probe': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container should be restarted with a exec "cat /tmp/health" liveness probe': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container should have monotonically increasing restart count': [
      'test/e2e/pod-changes.test.ts > liveness probes of each kind',
    ],
    'Probing container with readiness probe should not be ready before initial delay and never restart': [
      'test/e2e/pod-changes.test.ts > readiness probes hold back',
    ],
    'Probing container with readiness probe that fails should never be ready and never restart': [
      'test/e2e/pod-changes.test.ts > readiness probes hold back',
    ],
    'RuntimeClass should support RuntimeClasses API operations': ['test/e2e/objects.test.ts > RuntimeClass'],
    'RuntimeClass should reject a Pod requesting a deleted RuntimeClass': [
      'test/e2e/objects.test.ts > pods of a runtime class have its overhead',
    ],
    'RuntimeClass should reject a Pod requesting a non-existent RuntimeClass': [
      'test/e2e/objects.test.ts > pods of a runtime class have its overhead',
    ],
    'RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead': [
      'test/e2e/objects.test.ts > pods of a runtime class have its overhead',
    ],
    'RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead': [
      'test/e2e/objects.test.ts > pods of a runtime class have its overhead',
    ],
    'Secrets should be consumable from pods in env vars': ['test/e2e/pod-contents.test.ts > env of a secret'],
    'Secrets should be consumable via the environment': ['test/e2e/pod-contents.test.ts > env of a whole secret'],
    'Secrets should fail to create secret due to empty secret key': [
      'test/e2e/objects.test.ts > %s with an empty key are refused',
    ],
    'Secrets should patch a secret': ['test/e2e/objects.test.ts > Secret'],
    'Security Context When creating a container with runAsUser should run the container with uid 65534': [
      'test/e2e/pod-contents.test.ts > runAsUser of a container',
    ],
    'Security Context When creating a pod with privileged should run the container as unprivileged when false': [
      'test/e2e/pod-contents.test.ts > not privileged',
    ],
    'Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false':
      ['test/e2e/pod-contents.test.ts > a writable root'],
    'Security Context should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup': [
      'test/e2e/pod-contents.test.ts > user and group of a container',
    ],
    'Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup': [
      'test/e2e/pod-contents.test.ts > user and group of a pod',
    ],
    'Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false':
      ['test/e2e/pod-contents.test.ts > no more privileges'],
    'Sysctls should reject invalid sysctls': ['test/e2e/objects.test.ts > sysctls that are no names'],
    'Sysctls should support sysctls': ['test/e2e/pod-contents.test.ts > safe sysctls'],
    'Variable Expansion should allow composing env vars into new env vars': [
      'test/e2e/pod-contents.test.ts > env of other variables',
    ],
    "Variable Expansion should allow substituting values in a container's args": [
      'test/e2e/pod-contents.test.ts > variables in arguments',
    ],
    "Variable Expansion should allow substituting values in a container's command": [
      'test/e2e/pod-contents.test.ts > variables in a command',
    ],
    'Variable Expansion should allow substituting values in a volume subpath': [
      'test/e2e/volumes.test.ts > sub paths: of every kind of volume',
    ],
    'Variable Expansion should fail substituting values in a volume subpath with absolute path': [
      'test/e2e/pod-changes.test.ts > sub paths by expression',
    ],
    'Variable Expansion should fail substituting values in a volume subpath with backticks': [
      'test/e2e/pod-changes.test.ts > sub paths by expression',
    ],
    'Variable Expansion should succeed in writing subpaths in container': [
      'test/e2e/pod-changes.test.ts > sub paths by expression',
    ],
    'Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container':
      ['test/e2e/pod-changes.test.ts > sub paths by expression'],
  },
};
