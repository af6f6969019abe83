import { describe, expect, it } from 'vitest';
import { useShell } from '../../support/process/use-shell.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const ID = 'mission-a';
/** Wider than a terminal. */
const REASON = 'a look around '.repeat(12).trim();
const fleet = useShell(redis).run;

async function stateHalt(halt: object): Promise<void> {
  await redis.redis.set(redis.keys.haltReason, JSON.stringify({ at: new Date().toISOString(), by: 'w', ...halt }));
}

/** A mission as its coordinator left it: a record and a job that waits. */
async function layMission(state: string): Promise<void> {
  const { keys } = redis;
  await redis.redis.hset(keys.mission(ID), { goal: 'learn', state });
  await redis.redis.zadd(keys.missions, 1, ID);
  const missions = await openBareQueue(redis, 'missions');
  await missions.add('mission', { goal: 'learn' }, { jobId: ID, delay: 3_600_000 });
}

describe('a halt on the command line', () => {
  it('stands with its own reason when somebody halts again, and says the way out', async () => {
    expect(await fleet('halt', 'prices look wrong')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Halted/) as string,
    });
    const again = await fleet('halt', 'me too');
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^Already halted since .* by .*: person \(prices look wrong\)\n/);
    expect(again.stdout).toContain('your reason is not noted');
    expect(again.stdout).toContain('fleet resume');
  });

  it.each([['jobs'], ['batches'], ['mission', 'ls'], ['failed']])(
    'is named once beside the list of `fleet %s`, and not in its JSON',
    async (...list) => {
      expect((await fleet(...list)).stderr).toBe('');
      await stateHalt({ reason: 'budget', step: '', detail: 'the day is spent' });

      const { code, stderr } = await fleet(...list);
      expect(stderr).toBe(
        '⛔ The fleet is halted (budget: the day is spent): nothing begins until it is lifted; fleet status shows the ways out\n',
      );
      expect(code).toBe(0);
      expect((await fleet(...list, '--json')).stderr).toBe('');
    },
  );

  it('is stated and lifted in JSON for a program', async () => {
    const read = async (...args: string[]): Promise<unknown> => JSON.parse((await fleet(...args, '--json')).stdout);
    expect(await read('halt', REASON)).toMatchObject({
      isNew: true,
      halt: { reason: 'person', detail: REASON },
    });
    expect(await read('halt', 'me too')).toMatchObject({ isNew: false, halt: { detail: REASON } });
    expect(await read('resume')).toMatchObject({ lifted: { detail: REASON }, halt: null, paused: [] });
    await layMission('wait');
    expect(await read('park', ID)).toMatchObject({ mission: ID, again: false, liftedHalt: false, halt: null });
    expect(await read('resume', ID)).toMatchObject({ mission: ID, released: expect.any(Number), lifted: null });
    expect(await read('cancel', ID)).toEqual({ cancelled: [ID], refused: [] });
    const { entries } = (await read('audit')) as { entries: { what: string; from: string }[] };
    expect(entries.map(({ what, from }) => `${what} ${from}`)).toEqual([
      'cancel cli',
      'resume-mission cli',
      'park cli',
      'resume cli',
      'halt cli',
    ]);
    const shown = await fleet('audit', '--what', 'halt', '--since', '1h');
    const line =
      /^WHEN +WHO +FROM +WHAT +CHANGE\n\d{4}-\d\d-\d\d \d\d:\d\d {2}\S+ +cli +halt +halt none → person: (.*)\n$/;
    expect(line.exec(shown.stdout)?.[1]).toBe(REASON); // whole: a pipe has no width
    expect((await fleet('audit', '--what', 'halts')).stderr).toContain('--what: expected some of halt, resume');
    expect(await fleet('audit', '--what', '')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--what: expected some of halt, resume') as string,
    });
    expect((await fleet('audit', '--what', 'settle')).stdout).toBe('No change fits.\n');
  });

  it('is lifted once; a second time there is nothing to lift, exit 2', async () => {
    expect((await fleet('audit')).stdout).toBe('No change is noted yet.\n');
    await fleet('halt', 'a look around');
    expect((await fleet('resume')).stdout).toContain('Lifted: person (a look around).');
    const { code, stderr } = await fleet('resume');
    expect(code).toBe(2);
    expect(stderr).toContain('nothing is halted');
  });

  it.each([
    ['single', '--task', 'Say it.'],
    ['shards', '--test'],
  ])('tells `%s` in words why the fleet stands still, exit 3', async (...args) => {
    await stateHalt({ reason: 'person', detail: 'prices look wrong' });
    const { code, stderr } = await fleet(...args);
    expect(stderr).toBe('Error: the fleet is halted (person: prices look wrong)\nfleet status shows the ways out\n');
    expect(code).toBe(3);
  });

  it('shows the choices with the mission’s own id', async () => {
    await stateHalt({ reason: 'shard', step: 'section 2', detail: 'shard 3: key refused', mission: ID });
    const { stdout } = await fleet('status');
    expect(stdout).toContain('At step: section 2');
    for (const way of [`resume ${ID} --retry`, `resume ${ID} --skip-gemini`, `park ${ID}`]) {
      expect(stdout).toContain(`fleet ${way}`);
    }
  });
});

describe('one mission on the command line', () => {
  it('is parked, which lifts the halt it caused, and goes on when it is resumed', async () => {
    await layMission('running');
    await stateHalt({ reason: 'shard', step: 'section 2', detail: '', mission: ID });
    const parked = await fleet('park', ID);
    expect(parked).toMatchObject({ code: 0, stderr: '' });
    expect(parked.stdout).toContain(`fleet resume ${ID} lets it go on`);
    expect(parked.stdout).toContain('The halt it caused is lifted');
    expect((await fleet('park', ID)).stdout).toContain('is parked already');

    const resumed = await fleet('resume', ID, '--retry');
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toContain(`Mission ${ID} goes on`);
  });

  it.each([
    ['a choice without a mission', ['resume', '--retry'], 2, /--retry is for one mission/],
    [
      'two choices',
      ['resume', ID, '--retry', '--skip-gemini'],
      2,
      /expected one choice, got --retry and --skip-gemini/,
    ],
    ['a mission that runs', ['resume', ID], 2, /is running, and nothing of it waits for a person/],
    ['a paper’s choice for another mission', ['resume', ID, '--accept-shards'], 2, /--accept-shards is for papers/],
    [
      'an unknown mission to resume',
      ['resume', 'nosuch'],
      1,
      /mission "nosuch": there is none of this id; the newest are mission-a/,
    ],
    ['an unknown mission to park', ['park', 'nosuch'], 1, /mission "nosuch": there is none of this id/],
    ['an unknown mission to pay for', ['budget', '1', '--mission', 'nosuch'], 1, /mission "nosuch": there is none/],
    ['a budget below nothing', ['budget', '--', '-1'], 2, /Expected dollars, 0\.\.1000000/],
  ])('refuses %s', async (_, args, code, message) => {
    await layMission('running');
    const result = await fleet(...args);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
  });
});

describe('budgets on the command line', () => {
  it('are shown with what is spent, reserved and uncertain apart', async () => {
    await layMission('running');
    await fleet('budget', '2', '--mission', ID);
    const spent = { settled: 300_000_000, reserved: 200_000_000, uncertain: 100_000_000 };
    await redis.redis.hset(redis.keys.spend(`mission:${ID}`), spent);
    const { stdout } = await fleet('budget');
    expect(stdout).toMatch(/^Budget a day \(UTC\): \$5\.0000/);
    expect(stdout).toContain(
      `mission ${ID}: $2.0000, $0.3000 spent, $0.2000 reserved, $0.1000 uncertain, $1.4000 left`,
    );
  });

  it('do not let a mission go on that a person parked, and say so', async () => {
    await layMission('running');
    await fleet('park', ID);
    const { stdout } = await fleet('budget', '2', '--mission', ID);
    expect(stdout).toContain(`The mission is parked by a person: fleet resume ${ID} lets it go on`);
  });

  it.each([
    ['0', /A budget of \$0 allows no paid call/],
    ['0.000001', /What is left is less than one call of claude-haiku-5-5 may cost \(over \$0\.\d+\)/],
  ])('say plainly that %s pays for nothing', async (usd, message) => {
    const { code, stderr } = await fleet('budget', usd);
    expect(code).toBe(0);
    expect(stderr).toMatch(message);
  });
});
