/** What the sessions of the clients work on. */
import type { KubernetesObject, V1CustomResourceDefinition, V1Pod } from '@kubernetes/client-node';

export const GROUP = 'clients.example.com';

/** A pod that answers HTTP on 8080 and prints a line when it starts. */
export function serverPod(name: string): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: 'k8s-demo:0.0.1-SNAPSHOT',
          command: ['sh', '-c', 'echo started; exec /bin/demo'],
          ports: [{ containerPort: 8080 }],
        },
      ],
    },
  };
}

/** A namespaced kind with a status and a scale. */
export function definitionOf(plural: string, kind: string): V1CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: `A ${kind} is made to be looked at.`,
              properties: {
                spec: {
                  type: 'object',
                  required: ['size'],
                  properties: {
                    size: { type: 'integer', minimum: 0 },
                    color: { type: 'string', _default: 'red', description: 'What it looks like.' },
                  },
                },
                status: { type: 'object', properties: { size: { type: 'integer' } } },
              },
            },
          },
        },
      ],
    },
  };
}

export interface Custom extends KubernetesObject {
  spec: { size: number; color?: string };
  status?: { size?: number };
}
