import { resources } from '../../api/generated/resources.ts';
import type { AuthConfig } from '../../cri/index.ts';
import { podSubject } from '../container/container-events.ts';
import type { KubeletContext } from '../context.ts';
import type { Pod, Secret } from '../types.ts';
import { parseImageName } from './image-name.ts';
import { credentialsFor } from './pull-secrets.ts';

/** Upstream looks at the pull secrets before every start, whether or not something will be pulled. */
export async function tellOfMissingSecrets(pod: Pod, context: KubeletContext): Promise<void> {
  const { missing } = await pullSecrets(pod, context);
  if (missing.length === 0) return;
  const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
  context.deps.recorder.event(podSubject(pod), 'Warning', 'FailedToRetrieveImagePullSecret', message);
}

/** What the pod's pull secrets have for an image. */
export async function pullCredentials(pod: Pod, image: string, context: KubeletContext): Promise<AuthConfig[]> {
  const { secrets } = await pullSecrets(pod, context);
  return credentialsFor(parseImageName(image), secrets);
}

async function pullSecrets(pod: Pod, context: KubeletContext): Promise<{ secrets: Secret[]; missing: string[] }> {
  const { namespace, uid } = pod.metadata;
  const secrets: Secret[] = [];
  const missing: string[] = [];
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const secret = await context.objects.get(resources.secrets, namespace, name, uid);
    if (secret === undefined) missing.push(name);
    else secrets.push(secret);
  }
  return { secrets, missing };
}
