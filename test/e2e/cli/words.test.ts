import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { fleetEntry } from '../../support/process/fleet-command.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const shell = useShell(redis);
const fleet = shell.run;

async function countJobs(): Promise<number> {
  const lengths = await Promise.all(
    ['tasks', 'archive', 'missions'].map((queue) => redis.redis.llen(redis.keys.queueKey(queue, 'wait'))),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

describe('a word typed by habit', () => {
  it.each([
    ['mission', 'list', 'fleet mission ls'],
    ['task', 'finding_8f3a2c1d9e4b', 'fleet findings finding_8f3a2c1d9e4b'],
    ['session', 'ls', 'fleet sessions'],
    ['ask', 'ls', 'fleet findings --answers'],
    ['task', 'failed', 'You may mean: fleet failed,'],
    ['halt', 'status', 'fleet status'],
  ])('`fleet %s %s` does nothing, and names what may be meant', async (command, word, instead) => {
    const { code, stderr, stdout } = await fleet(command, word);
    expect(stderr).toContain(`${command}: "${word}" would be taken as`);
    expect(stderr).toContain(instead);
    expect({ code, stdout, jobs: await countJobs() }).toEqual({ code: 2, stdout: '', jobs: 0 });
    expect(await redis.redis.exists(redis.keys.haltReason)).toBe(0);
    expect(await redis.redis.hget(redis.keys.session, 'name')).not.toBe('ls');
  });

  it('is stopped in `single` and `paper`, too', async () => {
    expect(await fleet('single', '--task', 'status')).toMatchObject({ code: 2 });
    expect(await fleet('paper', 'list', '--no-wait')).toMatchObject({ code: 2 });
    expect(await fleet('single', 'status')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('fleet status. '),
    });
  });

  it('is no obstacle in more words, nor to a halt in a hurry', async () => {
    expect(await fleet('task', 'list the files')).toMatchObject({ code: 0 });
    expect(await fleet('task', 'translate')).toMatchObject({ code: 0 });
    expect(await fleet('mission', '--', 'ls')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Mission mission-/),
    });
    expect(await fleet('halt', 'stop')).toMatchObject({ code: 0 });
  });
});

describe('work of the other kind', () => {
  const add = [
    ['task', 'Say it.'],
    ['ask', 'What is said?'],
    ['mission', 'Find out what is said.'],
  ];

  const write = [
    ['session', 'instance-11'],
    ['context', 'load', 'notes', '-'],
    ['context', 'rm', 'notes'],
    ['findings', '--import', '-'],
  ];

  it.each([...add, ...write])('`fleet %s` with FLEET_OFFLINE=1 is refused in a swarm of real work', async (...args) => {
    await redis.redis.hset(redis.keys.swarmMark, 'kind', 'real');
    const { code, stderr } = await fleet(...args);
    expect(stderr).toMatch(
      /does real work, which is paid, and FLEET_OFFLINE=1 asks for simulated work: nothing was done/,
    );
    expect({ code, jobs: await countJobs() }).toEqual({ code: 1, jobs: 0 });
  });

  it.each(add)('`fleet %s` with FLEET_OFFLINE=0 is refused in a simulated swarm', async (...args) => {
    await redis.redis.hset(redis.keys.swarmMark, 'kind', 'simulated');
    const { code, stderr } = await shell.start(args, { env: { FLEET_OFFLINE: '0' } }).done;
    expect(stderr).toMatch(/does simulated work, and FLEET_OFFLINE=0 asks for real work: nothing was done/);
    expect({ code, jobs: await countJobs() }).toEqual({ code: 1, jobs: 0 });
    expect(await shell.start(args, { env: { FLEET_OFFLINE: '' } }).done).toMatchObject({ code: 0 });
  });
});

describe('an id that is used', () => {
  it.each([
    ['task', ['Say it.', '--task-id', 'mine'], ['Say another thing.', '--task-id', 'mine']],
    ['ask', ['What is said?', '--query-id', 'mine'], ['What is not?', '--query-id', 'mine']],
    ['mission', ['Find it.', '--mission-id', 'mine'], ['Lose it.', '--mission-id', 'mine']],
  ])('of `fleet %s` is reported for the same words, and refused for others', async (command, first, other) => {
    expect(await fleet(command, ...first)).toMatchObject({ code: 0 });
    expect(await fleet(command, ...first)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is there already'),
    });
    const { code, stderr } = await fleet(command, ...other);
    expect(stderr).toMatch(/id (archive_)?mine: another (task|question|mission) has it \(".*"\); nothing was added/);
    expect({ code, jobs: await countJobs() }).toEqual({ code: 2, jobs: 1 });
  });
});

describe('nothing done', () => {
  it('is an error of `fleet retry`, which names the reasons that there are', async () => {
    expect(await fleet('retry', '--reason', 'schema')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no task has failed'),
    });
    const tasks = await openBareQueue(redis, 'tasks');
    await tasks.add('task', { description: 'x' }, { jobId: 'broken', delay: 3_600_000 });
    await redis.redis.zrem(redis.keys.queueKey('tasks', 'delayed'), 'broken');
    await redis.redis.zadd(redis.keys.queueKey('tasks', 'failed'), Date.now(), 'broken');
    await redis.redis.hset(redis.keys.queueKey('tasks', 'broken'), 'failedReason', 'schema: no x', 'finishedOn', 1);
    const { code, stderr } = await fleet('retry', '--reason', 'schem');
    expect(stderr).toContain('no task has failed with reason "schem"; failed tasks have: schema (1)');
    expect(code).toBe(1);
  });

  it('is said where the output cannot be written', async () => {
    const run = promisify(execFile)('sh', ['-c', '"$0" "$1" status --json > /dev/full', process.execPath, fleetEntry], {
      env: shell.env(),
    });
    const { code, stderr } = (await run.catch((error: { code: number; stderr: string }) => error)) as never;
    expect(stderr).toMatch(/^Error: the output cannot be written: ENOSPC[^\n]*\n$/);
    expect(code).toBe(1);
  });

  it('of an import is said for a line that holds no finding', async () => {
    const file = join(shell.folder, 'in.jsonl');
    writeFileSync(file, '{"finding_id":"x"}\n{"finding_id":"y","result":"tea"}\n');
    const { code, stderr, stdout } = await fleet('findings', '--import', file);
    expect(stderr).toContain('line 1: expected a finding, which has a result');
    expect(stdout).toContain('Imported 1 finding');
    expect(code).toBe(1);
  });
});

it('exports to the standard output with `--export -`', async () => {
  await storeFindings(redis, { finding_tea: { task: 'Look', result: 'tea' } });
  const { code, stdout } = await fleet('findings', '--export', '-');
  expect(stdout).toContain('"finding_id":"finding_tea"');
  expect(code).toBe(0);
});

it('shows halts, resumes and failures in `fleet monitor`', async () => {
  const monitor = shell.start(['monitor']);
  const shows = (text: RegExp) => waitUntil(() => text.test(monitor.output()), { what: `${text} in the monitor` });
  try {
    await waitUntil(async () => /name=fleet-monitor.*cmd=xread/.test(String(await redis.redis.client('LIST'))));
    await fleet('halt', 'prices look wrong');
    await shows(/ halt +person +prices look wrong/);
    await fleet('resume');
    await shows(/ resume +person +the halt is lifted/);
    const events = redis.keys.queueKey('archive', 'events');
    await redis.redis.xadd(events, '*', 'event', 'failed', 'jobId', 'archive_q', 'failedReason', 'uncited: no source');
    await shows(/ failed +archive_q +uncited: no source/);
  } finally {
    monitor.child.kill('SIGKILL');
    await monitor.done;
  }
});
