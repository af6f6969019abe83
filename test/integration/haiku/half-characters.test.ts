import { expect, test } from 'vitest';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const HALF = '\ud83d'; // of the two code units of an emoji

test('half a character in a topic fails neither its task nor those that end with it', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => `tea ${HALF}`) });
  const jobs = await Promise.all(
    [[`tea ${HALF}`], ['tea'], [HALF]].map((topics) => fleet.tasks.add({ description: 'Say tea', topics })),
  );
  const findings = await Promise.all(jobs.map((job) => job.finding({ timeoutMs: 10_000 })));
  expect(findings.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
  expect(findings.map(({ topics }) => topics)).toEqual([[`tea ${HALF}`], ['tea'], [HALF]]);
});

test('half a character in the name of a tool that does not exist is told to the model, as any wrong name', async () => {
  const model = createScriptedModel((_, call) =>
    call === 1 ? { tools: [{ name: `fly${HALF}`, input: { [HALF]: HALF } }] } : 'tea',
  );
  const fleet = await useFleet(redis, { haiku: model });
  const job = await fleet.tasks.add({ description: 'Say tea' });
  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ status: 'completed', result: 'tea' });
  expect(JSON.stringify(model.calls[1]?.messages)).toContain('no such tool here');
  expect(await fleet.logs(job.id)).toContain('turn 1 of 30: fly\ufffd');
});
