import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../recordings/connection.ts';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

/** One pod that looks at what it has been given, at `/v` if that is a volume, and prints it. */
interface Case {
  readonly volume?: object;
  readonly script?: string;
  readonly printed: string | RegExp;
  readonly spec?: object;
  readonly container?: object;
  /** What else the pod's list of volumes has. */
  readonly volumes?: readonly object[];
  /** How it ends; default: well. */
  readonly phase?: 'Failed';
}

const user = (runAsUser: number, fsGroup?: number): object => ({ securityContext: { runAsUser, fsGroup } });
const WRITE = 'umask 022; echo x >/v/f; stat -c "%a %u" /v/f';
const token = { projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }] } };
const TOKEN = 'stat -Lc "%a %u %g" /v/token';
const field = (path: string, fieldPath: string): object => ({ path, fieldRef: { fieldPath } });
const amount = (path: string, resource: string): object => ({
  path,
  resourceFieldRef: { containerName: 'main', resource },
});
const fieldEnv = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const fileEnv = (key: string, path: string, optional: boolean): object => ({
  name: key,
  valueFrom: { fileKeyRef: { volumeName: 'v', path, key, optional } },
});
const amountEnv = (name: string, resource: string): object => ({ name, valueFrom: { resourceFieldRef: { resource } } });

/** Prints its arguments, which the image has too. */
const ENTRYPOINT = 'docker.io/library/busybox:test2';

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses: readonly { readonly state: { readonly terminated: { readonly message?: string } } }[];
  };
}

/** A file of some mode in an emptyDir, written and read by some user. */
function emptyDir(runAsUser: number, mode: string, medium: '' | 'Memory'): Case {
  return {
    volume: { emptyDir: { medium } },
    script: `stat -fc %T /v | grep -q tmpfs && echo tmpfs; stat -c %a /v; umask 0; echo content >/v/f; chmod ${mode} /v/f; stat -c "%a %u" /v/f; cat /v/f`,
    printed: `${medium === '' ? '777' : 'tmpfs\n1777'}\n${mode} ${runAsUser}\ncontent\n`,
    spec: user(runAsUser),
  };
}

/** The files of a volume, each with its mode and content. */
const LOOK =
  'cd /v; for f in $(find -L . -type f -not -path "*/..*" | sort); do stat -Lc "%n %a" $f; cat $f; echo; done';
const projected = (source: object, more: object = {}): object => ({ projected: { sources: [source], ...more } });
const downward = (items: readonly object[], more: object = {}): object => ({ downwardAPI: { items, ...more } });
const podName = field('name', 'metadata.name');
const KEY = [{ key: 'a', path: 'path/to/a' }];
const KEY_MODE = [{ key: 'a', path: 'path/to/a', mode: 0o400 }];
const SECRET_KEY = [{ key: 'k', path: 'new' }];
const SECRET_KEY_MODE = [{ key: 'k', path: 'new', mode: 0o400 }];
const amounts = {
  resources: { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } },
};
/** What a container is given when it names its own amounts, and when it has none. */
const AMOUNTS = [
  amount('cpu_limit', 'limits.cpu'),
  amount('cpu_request', 'requests.cpu'),
  amount('memory_limit', 'limits.memory'),
  amount('memory_request', 'requests.memory'),
];
const LIMITS = [amount('cpu', 'limits.cpu'), amount('memory', 'limits.memory')];
const OWN_AMOUNTS =
  './cpu_limit 644\n2\n./cpu_request 644\n1\n./memory_limit 644\n67108864\n./memory_request 644\n33554432\n';
const ALLOCATABLE = /^\.\/cpu 644\n[1-9]\d*\n\.\/memory 644\n[1-9]\d{8,}\n$/;
const MAP = './a 644\nalpha\n./b 644\n';
const exact = (text: string): RegExp => new RegExp(`^${text.replaceAll('.', '\\.')}`);

/** emptyDir, by user, mode and medium. */
const emptyDirs: Readonly<Record<string, Case>> = {
  'emptyDir root 0644 default': emptyDir(0, '644', ''),
  'emptyDir root 0666 default': emptyDir(0, '666', ''),
  'emptyDir root 0777 default': emptyDir(0, '777', ''),
  'emptyDir root 0644 tmpfs': emptyDir(0, '644', 'Memory'),
  'emptyDir root 0666 tmpfs': emptyDir(0, '666', 'Memory'),
  'emptyDir root 0777 tmpfs': emptyDir(0, '777', 'Memory'),
  'emptyDir user 0644 default': emptyDir(1001, '644', ''),
  'emptyDir user 0666 default': emptyDir(1001, '666', ''),
  'emptyDir user 0777 default': emptyDir(1001, '777', ''),
  'emptyDir user 0644 tmpfs': emptyDir(1001, '644', 'Memory'),
  'emptyDir user 0666 tmpfs': emptyDir(1001, '666', 'Memory'),
  'emptyDir user 0777 tmpfs': emptyDir(1001, '777', 'Memory'),
};

/** ConfigMap `m`, Secret `s` and the pod's own fields, as volumes of their own and as parts of projected ones. */
const files: Readonly<Record<string, Case>> = {
  'configMap as it is': { volume: { configMap: { name: 'm' } }, script: LOOK, printed: exact(MAP) },
  'configMap for a user': { volume: { configMap: { name: 'm' } }, script: LOOK, printed: exact(MAP), spec: user(1000) },
  'configMap with defaultMode': {
    volume: { configMap: { name: 'm', defaultMode: 0o400 } },
    script: LOOK,
    printed: exact('./a 400\nalpha\n./b 400\n'),
  },
  'configMap with items': {
    volume: { configMap: { name: 'm', items: KEY } },
    script: LOOK,
    printed: './path/to/a 644\nalpha\n',
  },
  'configMap with items for a user': {
    volume: { configMap: { name: 'm', items: KEY } },
    script: LOOK,
    printed: './path/to/a 644\nalpha\n',
    spec: user(1000),
  },
  'configMap with items of their own mode': {
    volume: { configMap: { name: 'm', items: KEY_MODE } },
    script: LOOK,
    printed: './path/to/a 400\nalpha\n',
  },
  'configMap twice': {
    volume: { configMap: { name: 'm' } },
    volumes: [{ name: 'w', configMap: { name: 'm' } }],
    script: 'cat /v/a /w/a',
    printed: 'alphaalpha',
  },
  'secret as it is': {
    volume: { secret: { secretName: 's' } },
    script: LOOK,
    printed: './k 644\nhidden\n',
  },
  'secret with defaultMode': {
    volume: { secret: { secretName: 's', defaultMode: 0o400 } },
    script: LOOK,
    printed: './k 400\nhidden\n',
  },
  'secret for a user and a group': {
    volume: { secret: { secretName: 's', defaultMode: 0o440 } },
    script: LOOK,
    printed: './k 440\nhidden\n',
    spec: user(1000, 1001),
  },
  'secret with items': {
    volume: { secret: { secretName: 's', items: SECRET_KEY } },
    script: LOOK,
    printed: './new 644\nhidden\n',
  },
  'secret with items of their own mode': {
    volume: { secret: { secretName: 's', items: SECRET_KEY_MODE } },
    script: LOOK,
    printed: './new 400\nhidden\n',
  },
  'secret twice': {
    volume: { secret: { secretName: 's' } },
    volumes: [{ name: 'w', secret: { secretName: 's' } }],
    script: 'cat /v/k /w/k',
    printed: 'hiddenhidden',
  },
  'secret and configMap side by side': {
    volume: { secret: { secretName: 's' } },
    volumes: [{ name: 'w', configMap: { name: 'm' } }],
    script: 'cat /v/k /w/a',
    printed: 'hiddenalpha',
  },
  'projected configMap': { volume: projected({ configMap: { name: 'm' } }), script: LOOK, printed: exact(MAP) },
  'projected configMap for a user': {
    volume: projected({ configMap: { name: 'm' } }),
    script: LOOK,
    printed: exact(MAP),
    spec: user(1000),
  },
  'projected configMap with defaultMode': {
    volume: projected({ configMap: { name: 'm' } }, { defaultMode: 0o400 }),
    script: LOOK,
    printed: exact('./a 400\nalpha\n./b 400\n'),
  },
  'projected configMap with items': {
    volume: projected({ configMap: { name: 'm', items: KEY } }),
    script: LOOK,
    printed: './path/to/a 644\nalpha\n',
  },
  'projected configMap with items for a user': {
    volume: projected({ configMap: { name: 'm', items: KEY } }),
    script: LOOK,
    printed: './path/to/a 644\nalpha\n',
    spec: user(1000),
  },
  'projected configMap with items of their own mode': {
    volume: projected({ configMap: { name: 'm', items: KEY_MODE } }),
    script: LOOK,
    printed: './path/to/a 400\nalpha\n',
  },
  'projected configMap twice': {
    volume: projected({ configMap: { name: 'm' } }),
    volumes: [{ name: 'w', ...projected({ configMap: { name: 'm' } }) }],
    script: 'cat /v/a /w/a',
    printed: 'alphaalpha',
  },
  'projected secret': { volume: projected({ secret: { name: 's' } }), script: LOOK, printed: './k 644\nhidden\n' },
  'projected secret with defaultMode': {
    volume: projected({ secret: { name: 's' } }, { defaultMode: 0o400 }),
    script: LOOK,
    printed: './k 400\nhidden\n',
  },
  'projected secret for a user and a group': {
    volume: projected({ secret: { name: 's' } }, { defaultMode: 0o440 }),
    script: LOOK,
    printed: './k 440\nhidden\n',
    spec: user(1000, 1001),
  },
  'projected secret with items': {
    volume: projected({ secret: { name: 's', items: SECRET_KEY } }),
    script: LOOK,
    printed: './new 644\nhidden\n',
  },
  'projected secret with items of their own mode': {
    volume: projected({ secret: { name: 's', items: SECRET_KEY_MODE } }),
    script: LOOK,
    printed: './new 400\nhidden\n',
  },
  'projected secret twice': {
    volume: projected({ secret: { name: 's' } }),
    volumes: [{ name: 'w', ...projected({ secret: { name: 's' } }) }],
    script: 'cat /v/k /w/k',
    printed: 'hiddenhidden',
  },
  'downwardAPI name': { volume: downward([podName]), script: LOOK, printed: './name 644\ndownwardapi-name\n' },
  'downwardAPI with defaultMode': {
    volume: downward([podName], { defaultMode: 0o400 }),
    script: LOOK,
    printed: './name 400\ndownwardapi-with-defaultmode\n',
  },
  'downwardAPI with an item of its own mode': {
    volume: downward([{ ...podName, mode: 0o400 }]),
    script: LOOK,
    printed: './name 400\ndownwardapi-with-an-item-of-its-own-mode\n',
  },
  'downwardAPI amounts': { volume: downward(AMOUNTS), script: LOOK, printed: OWN_AMOUNTS, container: amounts },
  'downwardAPI amounts of the node': { volume: downward(LIMITS), script: LOOK, printed: ALLOCATABLE },
  'projected downwardAPI name': {
    volume: projected(downward([podName])),
    script: LOOK,
    printed: './name 644\nprojected-downwardapi-name\n',
  },
  'projected downwardAPI with defaultMode': {
    volume: projected(downward([podName]), { defaultMode: 0o400 }),
    script: LOOK,
    printed: './name 400\nprojected-downwardapi-with-defaultmode\n',
  },
  'projected downwardAPI with an item of its own mode': {
    volume: projected(downward([{ ...podName, mode: 0o400 }])),
    script: LOOK,
    printed: './name 400\nprojected-downwardapi-with-an-item-of-its-own-mode\n',
  },
  'projected downwardAPI amounts': {
    volume: projected(downward(AMOUNTS)),
    script: LOOK,
    printed: OWN_AMOUNTS,
    container: amounts,
  },
  'projected downwardAPI amounts of the node': {
    volume: projected(downward(LIMITS)),
    script: LOOK,
    printed: ALLOCATABLE,
  },
};

/** A volume's directory or file by subPath; `/w` is a file that the image has. */
const subPath = (volume: object, path: string, mountPath = '/v'): Pick<Case, 'volume' | 'container'> => ({
  volume,
  container: { volumeMounts: [{ name: 'v', mountPath, subPath: path }] },
});
const subPaths: Readonly<Record<string, Case>> = {
  'subPath of a configMap': { ...subPath({ configMap: { name: 'm' } }, 'a'), script: 'cat /v', printed: 'alpha' },
  'subPath of a configMap over a file': {
    ...subPath({ configMap: { name: 'm' } }, 'a', '/etc/resolv.conf'),
    script: 'cat /etc/resolv.conf',
    printed: 'alpha',
  },
  'subPath of a secret': { ...subPath({ secret: { secretName: 's' } }, 'k'), script: 'cat /v', printed: 'hidden' },
  'subPath of a downwardAPI': {
    ...subPath(downward([field('deep/name', 'metadata.name')]), 'deep/name'),
    script: 'cat /v',
    printed: 'subpath-of-a-downwardapi',
  },
  'subPath of a projected volume': {
    ...subPath(projected({ configMap: { name: 'm', items: KEY } }), 'path/to'),
    script: 'cat /v/a',
    printed: 'alpha',
  },
};

/** The files of an image, which nobody can change. */
const images: Readonly<Record<string, Case>> = {
  'image as it is': {
    volume: { image: { reference: ENTRYPOINT } },
    script: 'cat /v/etc/image-version; touch /v/x 2>/dev/null || echo read-only',
    printed: 'test2\nread-only\n',
  },
  'images for a user': {
    volume: { image: { reference: ENTRYPOINT, pullPolicy: 'Never' } },
    volumes: [{ name: 'w', image: { reference: 'busybox:test' } }],
    script: 'cat /v/etc/image-version /w/etc/image-version; ls -d /v/tmp',
    printed: 'test2\ntest\n/v/tmp\n',
    spec: user(1000, 1001),
  },
  'subPath of an image': {
    ...subPath({ image: { reference: ENTRYPOINT } }, 'etc'),
    script: 'cat /v/image-version; ls /v/bin 2>/dev/null || echo no more',
    printed: 'test2\nno more\n',
  },
};

/** The environment, command and arguments of a container. */
const environment: Readonly<Record<string, Case>> = {
  'env of a configMap': {
    script: 'echo $A',
    printed: 'alpha\n',
    container: { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'm', key: 'a' } } }] },
  },
  'env of a whole configMap': {
    script: 'echo $a $p_a',
    printed: 'alpha alpha\n',
    container: { envFrom: [{ configMapRef: { name: 'n' } }, { prefix: 'p_', configMapRef: { name: 'n' } }] },
  },
  'env of a secret': {
    script: 'echo $A',
    printed: 'hidden\n',
    container: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
  },
  'env of a whole secret': {
    script: 'echo $k $p_k',
    printed: 'hidden hidden\n',
    container: { envFrom: [{ secretRef: { name: 's' } }, { prefix: 'p_', secretRef: { name: 's' } }] },
  },
  'env of a file': {
    volume: { emptyDir: {} },
    script: 'echo "$A" "$B"; env | grep -c ^C=',
    printed: 'one two\nlines\n0\n',
    phase: 'Failed',
    spec: {
      initContainers: [
        {
          name: 'init',
          image: 'busybox:test',
          command: ['sh', '-c', `printf "# variables\\nA='one'\\nB='two\\nlines' # and more\\n" >/v/file`],
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
        },
      ],
    },
    container: { env: ['A', 'B', 'C'].map((key) => fileEnv(key, 'file', key === 'C')) },
  },
  'env of fields': {
    script: 'echo $NAME $NAMESPACE $POD_IP $HOST_IP $UID_OF_POD',
    printed: /^env-of-fields default 10\.[\d.]+ \d+\.[\d.]+ [0-9a-f-]{36}\n$/,
    container: {
      env: [
        fieldEnv('NAME', 'metadata.name'),
        fieldEnv('NAMESPACE', 'metadata.namespace'),
        fieldEnv('POD_IP', 'status.podIP'),
        fieldEnv('HOST_IP', 'status.hostIP'),
        fieldEnv('UID_OF_POD', 'metadata.uid'),
      ],
    },
  },
  'env of amounts': {
    script: 'echo $CPU_LIMIT $MEMORY_LIMIT $CPU_REQUEST $MEMORY_REQUEST',
    printed: '2 67108864 1 33554432\n',
    container: {
      ...amounts,
      env: [
        amountEnv('CPU_LIMIT', 'limits.cpu'),
        amountEnv('MEMORY_LIMIT', 'limits.memory'),
        amountEnv('CPU_REQUEST', 'requests.cpu'),
        amountEnv('MEMORY_REQUEST', 'requests.memory'),
      ],
    },
  },
  'env of amounts of the node': {
    script: 'echo $CPU_LIMIT $MEMORY_LIMIT',
    printed: /^[1-9]\d* [1-9]\d{8,}\n$/,
    container: { env: [amountEnv('CPU_LIMIT', 'limits.cpu'), amountEnv('MEMORY_LIMIT', 'limits.memory')] },
  },
  'env of other variables': {
    script: 'echo $FOOBAR',
    printed: 'foo-value;;bar-value\n',
    container: {
      env: [
        { name: 'FOO', value: 'foo-value' },
        { name: 'BAR', value: 'bar-value' },
        { name: 'FOOBAR', value: '$(FOO);;$(BAR)' },
      ],
    },
  },
  'variables in a command': {
    printed: 'test-value\n',
    container: {
      command: ['sh', '-c', 'TEST_VAR=wrong echo "$(TEST_VAR)"'],
      env: [{ name: 'TEST_VAR', value: 'test-value' }],
    },
  },
  'variables in arguments': {
    printed: 'test-value $(TEST_VAR)\n',
    container: {
      command: ['sh', '-c'],
      args: ["TEST_VAR=wrong echo '$(TEST_VAR) $$(TEST_VAR)'"],
      env: [{ name: 'TEST_VAR', value: 'test-value' }],
    },
  },
  "the image's command and arguments": { printed: 'image arguments\n', container: { image: ENTRYPOINT, command: [] } },
  'arguments instead of those of the image': {
    printed: 'own arguments\n',
    container: { image: ENTRYPOINT, command: [], args: ['own', 'arguments'] },
  },
  'a command instead of that of the image': {
    printed: '\n',
    container: { image: ENTRYPOINT, command: ['/bin/busybox', 'echo'] },
  },
  'a command and arguments instead of those of the image': {
    printed: 'own\n',
    container: { image: ENTRYPOINT, command: ['/bin/busybox', 'echo'], args: ['own'] },
  },
  'env of services': {
    script: 'env | grep ^FOOSERVICE | sort',
    printed:
      /^FOOSERVICE_PORT=tcp:\/\/(10\.[\d.]+):8765\nFOOSERVICE_PORT_8765_TCP=tcp:\/\/\1:8765\nFOOSERVICE_PORT_8765_TCP_ADDR=\1\nFOOSERVICE_PORT_8765_TCP_PORT=8765\nFOOSERVICE_PORT_8765_TCP_PROTO=tcp\nFOOSERVICE_SERVICE_HOST=\1\nFOOSERVICE_SERVICE_PORT=8765\n$/,
  },
  'stdout and stderr': { script: 'echo out; echo err >&2', printed: /^(out\nerr|err\nout)\n$/ },
};

/** What a container may do, and who it is. */
const security: Readonly<Record<string, Case>> = {
  'runAsUser of a container': {
    script: 'id -u',
    printed: '65534\n',
    container: { securityContext: { runAsUser: 65_534 } },
  },
  'user and group of a container': {
    script: 'id',
    printed: 'uid=1001 gid=2002 groups=2002\n',
    container: { securityContext: { runAsUser: 1001, runAsGroup: 2002 } },
  },
  'user and group of a pod': {
    script: 'id',
    printed: 'uid=1001 gid=2002 groups=2002\n',
    spec: { securityContext: { runAsUser: 1001, runAsGroup: 2002 } },
  },
  'not privileged': {
    script: 'ip link add dummy0 type dummy 2>&1 | grep -c "Operation not permitted"',
    printed: '1\n',
    container: { securityContext: { privileged: false } },
  },
  'a writable root': {
    script: 'touch checkfile && echo made',
    printed: 'made\n',
    container: { securityContext: { readOnlyRootFilesystem: false } },
  },
  'a read-only root': {
    script: 'echo test > /file; sleep 0',
    printed: /can't create \/file: Read-only file system/,
    container: { securityContext: { readOnlyRootFilesystem: true } },
  },
  'no more privileges': {
    script: 'id -u; grep NoNewPrivs /proc/self/status',
    printed: '1000\nNoNewPrivs:\t1\n',
    container: { securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false } },
  },
  'safe sysctls': {
    script: 'sysctl kernel.shm_rmid_forced',
    printed: 'kernel.shm_rmid_forced = 1\n',
    spec: { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } },
  },
  'host aliases': {
    script: 'cat /etc/hosts',
    printed:
      /^# Kubernetes-managed hosts file\.\n[\s\S]*\n# Entries added by HostAliases\.\n123\.45\.67\.89\tfoo\tbar\n$/,
    spec: { hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }] },
  },
  'hosts of the host network': {
    script: 'head -1 /etc/hosts; grep -c HostAliases /etc/hosts',
    printed: '# Kubernetes-managed hosts file (host network).\n0\n',
    spec: { hostNetwork: true },
    phase: 'Failed',
  },
  'hosts of the machine': {
    volume: { hostPath: { path: '/etc/hosts', type: 'FileOrCreate' } },
    container: { volumeMounts: [{ name: 'v', mountPath: '/etc/hosts' }] },
    script: 'grep -c Kubernetes-managed /etc/hosts',
    printed: '0\n',
    phase: 'Failed',
  },
};

/** How ends are told. */
const messages: Readonly<Record<string, Case & { readonly message: string }>> = {
  'message of a user at its own path': {
    container: { terminationMessagePath: '/dev/termination-custom-log', securityContext: { runAsUser: 10_000 } },
    script: 'echo -n DONE > /dev/termination-custom-log',
    printed: '',
    message: 'DONE',
  },
  'message from the log of a failure': {
    container: { terminationMessagePolicy: 'FallbackToLogsOnError' },
    script: 'echo -n DONE; false',
    printed: 'DONE',
    message: 'DONE',
    phase: 'Failed',
  },
  'no message from the log of a success': {
    container: { terminationMessagePolicy: 'FallbackToLogsOnError' },
    script: 'echo -n DONE; true',
    printed: 'DONE',
    message: '',
  },
  'message from the file of a success': {
    container: { terminationMessagePolicy: 'FallbackToLogsOnError' },
    script: 'echo -n OK > /dev/termination-log; echo DONE; true',
    printed: 'DONE\n',
    message: 'OK',
  },
};

/** What else volumes have. */
const others: Readonly<Record<string, Case>> = {
  'empty-dir': { volume: { emptyDir: {} }, script: 'stat -c %a /v', printed: '777\n' },
  'empty-dir-user': { volume: { emptyDir: {} }, script: WRITE, printed: '644 1001\n', spec: user(1001) },
  'empty-dir-memory': {
    volume: { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    script: 'stat -c %a /v; stat -fc %T /v; dd if=/dev/zero of=/v/f bs=1M count=2 2>&1 | grep -o "No space left"',
    printed: '1777\ntmpfs\nNo space left\n',
  },
  'empty-dir-memory-sub-path': {
    script: 'stat -c "%a %g" /v',
    printed: '3777 123\n',
    spec: { ...user(1001, 123), volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] },
    container: { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'below' }] },
  },
  'empty-dir-group': {
    volume: { emptyDir: {} },
    script: 'stat -c "%a %g" /v; touch /v/f; stat -c %g /v/f',
    printed: '2777 1234\n1234\n',
    spec: user(1001, 1234),
  },
  'config-map-mode': {
    volume: { configMap: { name: 'm', defaultMode: 0o400 } },
    script: 'stat -Lc "%n %a" /v/a /v/b; ls -A /v | head -1 | cut -c 1-4; readlink /v/a',
    printed: '/v/a 400\n/v/b 400\n..20\n..data/a\n',
  },
  'config-map-items': {
    volume: { configMap: { name: 'm', items: [{ key: 'a', path: 'deep/er', mode: 0o440 }] } },
    script: 'find /v/deep/ -type f; stat -Lc %a /v/deep/er; cat /v/deep/er; touch /v/x 2>&1 | grep -o "Read-only"',
    printed: '/v/deep/er\n440\nalphaRead-only\n',
  },
  'config-map-user': {
    volume: { configMap: { name: 'm', defaultMode: 0o440 } },
    script: 'cat /v/a; stat -Lc "%a %g" /v/a',
    printed: 'alpha440 1234\n',
    spec: user(1001, 1234),
  },
  'config-map-binary': { volume: { configMap: { name: 'm' } }, script: 'od -An -tx1 /v/b', printed: ' 00 ff fe\n' },
  'secret-mode': {
    volume: { secret: { secretName: 's', defaultMode: 0o400, items: [{ key: 'k', path: 'new' }] } },
    script: 'stat -Lc %a /v/new; cat /v/new; stat -fc %T /v',
    printed: '400\nhiddentmpfs\n',
  },
  optional: {
    volume: { projected: { sources: [{ secret: { name: 'none', optional: true } }, { configMap: { name: 'm' } }] } },
    script: 'ls /v',
    printed: 'a\nb\n',
  },
  combined: {
    volume: {
      projected: {
        defaultMode: 0o600,
        sources: [
          { configMap: { name: 'm', items: [{ key: 'a', path: 'map/a' }] } },
          { secret: { name: 's', items: [{ key: 'k', path: 'secret', mode: 0o400 }] } },
          { downwardAPI: { items: [field('name', 'metadata.name')] } },
        ],
      },
    },
    script: 'cat /v/map/a /v/secret /v/name; echo; stat -Lc %a /v/map/a /v/secret',
    printed: 'alphahiddencombined\n600\n400\n',
  },
  downward: {
    volume: {
      downwardAPI: {
        items: [
          field('labels', 'metadata.labels'),
          field('uid', 'metadata.uid'),
          amount('cpu', 'limits.cpu'),
          amount('memory', 'requests.memory'),
        ],
      },
    },
    script: 'cat /v/labels; echo; wc -c </v/uid; cat /v/cpu; echo; cat /v/memory',
    printed: 'one="1"\ntwo="b_2"\n36\n2\n33554432',
    container: { resources: { requests: { memory: '32Mi' }, limits: { cpu: '1250m' } } },
  },
  'token-root': { volume: token, script: TOKEN, printed: '644 0 0\n' },
  'token-user': { volume: token, script: TOKEN, printed: '600 1000 0\n', spec: user(1000) },
  'token-user-group': { volume: token, script: TOKEN, printed: '640 1000 10000\n', spec: user(1000, 10_000) },
  'host-path': {
    volume: { hostPath: { path: '/etc', type: 'Directory' } },
    script: 'test -s /v/passwd && echo there',
    printed: 'there\n',
  },
};

const cases: Readonly<Record<string, Case & { readonly message?: string }>> = {
  ...emptyDirs,
  ...files,
  ...images,
  ...subPaths,
  ...environment,
  ...security,
  ...messages,
  ...others,
};
const nameOf = (title: string): string => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

function podOf(title: string, { volume, volumes = [], script = '', spec, container }: Case): object {
  const mounts = [...(volume === undefined ? [] : [{ name: 'v', mountPath: '/v' }])];
  const main = {
    name: 'main',
    image: 'busybox:test',
    command: ['sh', '-c', script],
    volumeMounts: [...mounts, ...volumes.map(() => ({ name: 'w', mountPath: '/w' }))],
    ...container,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: nameOf(title), labels: { one: '1', two: 'b_2' } },
    spec: {
      restartPolicy: 'Never',
      containers: [main],
      volumes: [...(volume === undefined ? [] : [{ name: 'v', ...volume }]), ...volumes],
      ...spec,
    },
  };
}

describe.skipIf(missing !== undefined)('contents of pods', () => {
  let cluster: Cluster;
  let api: Connection;
  let ended: Promise<ReadonlyMap<string, Pod>>;
  beforeAll(async () => {
    cluster = await Cluster.start();
    const map = { data: { a: 'alpha' }, binaryData: { b: 'AP/+' }, immutable: true };
    const items: object[] = [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, ...map },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'n' }, data: map.data },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { k: 'hidden' } },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's', namespace: 'kube-public' },
        stringData: { k: 'other' },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'fooservice' },
        spec: { selector: { name: 'server' }, ports: [{ port: 8765, targetPort: 8080 }] },
      },
      ...Object.entries(cases).map(([title, given]) => podOf(title, given)),
    ];
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    api = await Connection.fromKubeconfig(cluster.kubeconfig);
    ended = allEnded();
    ended.catch(() => {});
  });
  afterAll(() =>
    endAll(
      () => api?.close(),
      () => cluster?.remove(),
    ),
  );

  async function allEnded(): Promise<ReadonlyMap<string, Pod>> {
    const pods = await eventually(
      'all pods ended',
      async () => {
        const { text } = await api.call({ method: 'GET', path: '/api/v1/namespaces/default/pods' });
        const { items } = JSON.parse(text) as { items: Pod[] };
        return items.every(({ status }) => status.phase === 'Succeeded' || status.phase === 'Failed') && items;
      },
      240_000,
    );
    return new Map(pods.map((pod) => [pod.metadata.name, pod]));
  }

  test.concurrent.each(Object.entries(cases))('%s', async (title, { printed, phase = 'Succeeded', message }) => {
    const name = nameOf(title);
    const { status } = (await ended).get(name) ?? {};
    // The last lines may be written after the end is known.
    await eventually(
      'its log',
      async () => {
        const { text } = await api.call({ method: 'GET', path: `/api/v1/namespaces/default/pods/${name}/log` });
        if (typeof printed === 'string') expect(text).toBe(printed);
        else expect(text).toMatch(printed);
        return true;
      },
      20_000,
    );
    expect(status?.phase).toBe(phase);
    if (message !== undefined) {
      expect(status?.containerStatuses[0]?.state.terminated.message ?? '').toBe(message);
    }
  });
});
