import { expect, it } from 'vitest';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const fleet = useShell(redis).run;

/** Moves the cursor, sets the title, hides the rest, and turns the direction. */
const EVIL = 'x\u001B[2J\u001B]0;t\u0007\u009B8m\u202Ey';
const ACTED_ON = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/u;

it('no text of Redis acts on the terminal, whatever command shows it', async () => {
  const { keys } = redis;
  const halt = { reason: EVIL, step: EVIL, by: EVIL, detail: EVIL, at: new Date().toISOString() };
  await redis.redis.set(keys.haltReason, JSON.stringify(halt));
  await storeFindings(redis, {
    finding_evil: { task: EVIL, result: EVIL, summary: EVIL, session: EVIL, worker_id: EVIL },
  });
  const tasks = await openBareQueue(redis, 'tasks');
  await tasks.add('task', { description: EVIL, batch: EVIL }, { jobId: `task-${EVIL}` });

  for (const args of [
    ['status'],
    ['status', '--compact'],
    ['findings'],
    ['findings', 'finding_evil'],
    ['failed'],
    ['jobs'],
    ['batches'],
    ['sessions'],
    ['costs'],
    ['halt', 'again'],
    ['mission', '--list'],
    ['single', '--task', 'Say it.'],
    ['doctor'],
  ]) {
    const { stdout, stderr } = await fleet(...args);
    expect(`${stdout}${stderr}`, args.join(' ')).not.toMatch(ACTED_ON);
  }
  const { stdout } = await fleet('status', '--json');
  expect(stdout).not.toMatch(ACTED_ON);
  expect(JSON.parse(stdout)).toMatchObject({ halt: { detail: EVIL } });
});
