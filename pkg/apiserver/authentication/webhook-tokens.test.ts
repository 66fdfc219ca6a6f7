import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { forOwnAudiences } from './own-audiences.ts';
import { StaticTokens } from './static-token.ts';
import { WebhookTokens } from './webhook-tokens.ts';

const clock = new FakeClock();

function webhook(answer: unknown) {
  const reviews: unknown[] = [];
  const post = async (review: unknown): Promise<Readonly<Record<string, unknown>>> => {
    reviews.push(review);
    if (answer instanceof Error) throw answer;
    return answer as Readonly<Record<string, unknown>>;
  };
  const tokens = new WebhookTokens({ audiences: ['api'], cacheTTLMs: 1000, version: 'v1' }, { clock, post });
  return { reviews, tokens };
}

const user = { username: 'ann', uid: '1', groups: ['g', 7], extra: { k: ['v'] } };

test('a user is asked for once in a while', async () => {
  const { reviews, tokens } = webhook({ status: { authenticated: true, user } });
  const known = { user: { username: 'ann', uid: '1', groups: ['g'], extra: { k: ['v'] } }, audiences: ['api'] };
  const [one, two] = await Promise.all([tokens.authenticateToken('t', []), tokens.authenticateToken('t', ['api'])]);
  expect([one, two]).toEqual([known, known]);
  expect(reviews).toEqual([
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: { creationTimestamp: null },
      spec: { token: 't', audiences: ['api'] },
      status: { user: {} },
    },
  ]);
  await clock.advance(1000);
  await tokens.authenticateToken('t', []);
  await tokens.authenticateToken('other', []);
  expect(reviews).toHaveLength(3);
});

test.each([
  ['nobody', { status: { authenticated: false } }, undefined],
  ['nobody, with a reason', { status: { error: 'expired' } }, 'expired'],
  ['no status', {}, undefined],
  ['no user', { status: { authenticated: true } }, 'the webhook authenticated nobody'],
  ['another audience', { status: { authenticated: true, user, audiences: ['x'] } }, 'another audience'],
  ['nothing', new Error('hangs'), 'hangs'],
])('%s', async (_name, answer, problem) => {
  const asked = webhook(answer).tokens.authenticateToken('t', []);
  if (problem === undefined) expect(await asked).toBeUndefined();
  else await expect(asked).rejects.toThrow(problem);
});

test('tokens without audiences are for the own ones', async () => {
  const tokens = forOwnAudiences(new StaticTokens([['t', { username: 'a', groups: [] }]]), ['api', 'own']);
  expect(await tokens.authenticateToken('t', [])).toMatchObject({ audiences: ['api', 'own'] });
  expect(await tokens.authenticateToken('t', ['own', 'x'])).toMatchObject({ audiences: ['own'] });
  expect(await tokens.authenticateToken('t', ['x'])).toBeUndefined();
  expect(await tokens.authenticateToken('u', [])).toBeUndefined();
});
