import { beforeEach, describe, expect, it } from 'vitest';
import type { StoredFinding } from '../../../src/findings/types.ts';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { makeFolder } from '../../support/folder.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
let site = '';
const shell = useShell(redis, () => ({ FLEET_WORKSPACES: `site=${site}` }));
const fleet = shell.run;

beforeEach(() => {
  site = makeFolder({
    'README.md': '# A site\n\nIt sells tea.\n',
    'tea.ts': 'export const tea = 1; // TODO: name the sort\n',
  });
});

/** The simulator, with a worker and a coordinator that call it. */
async function startWorkers(): Promise<void> {
  const { startHaiku } = await startCoordinator();
  await startHaiku();
}

/** The simulator and a coordinator; the worker starts when the test wants it. */
async function startCoordinator(): Promise<{ startHaiku(): Promise<unknown> }> {
  const simulator = await startAnthropicSimulator({ latencyMs: 5 });
  redis.cleanup(() => simulator.close());
  const provider = simulator.url;
  await startWorkerProcess(redis, { id: 'coordinator_cli', kind: 'coordinator', provider });
  const haiku = { id: 'haiku_cli_001', provider, slots: 8, workspace: site };
  return { startHaiku: () => startWorkerProcess(redis, haiku) };
}

describe('fleet mission', () => {
  it('waits for the answer, and prints it with its sources, counts, cost and share', async () => {
    await startWorkers();
    const { code, stdout, stderr } = await fleet('mission', 'Say it. [[tasks:3]]', '--workspace', 'site', '--wait');
    expect(stderr).toMatch(/Recall: +skipped: the archive is empty\nSurvey: +2 files\nPlan: +3 tasks/);
    expect(stdout).toMatch(/\[finding_[0-9a-f]{16}\]/);
    expect(stdout).toMatch(/Sources:\n {2}finding_/);
    expect(stdout).toMatch(/\d+ tasks done, 0 failed, 0 skipped\ncost \$0\.\d{6}.*saved \d+\.\d %.*of tasks by Haiku/);
    expect(code).toBe(0);
  });

  it('says how it stands, one or all, and as JSON', async () => {
    await startWorkers();
    await fleet('mission', 'Say it. [[tasks:3]]', '--mission-id', 'm', '--wait');
    expect((await fleet('mission', 'ls')).stdout).toMatch(/m +done +3 of 3 +\$0\.\d{4}.*Say it\./);
    expect((await fleet('mission', 'm')).stdout).toMatch(/^Mission m: done\n(.*\n)*.*answer: +fleet findings finding_/);
    const shown = JSON.parse((await fleet('mission', 'm', '--json')).stdout) as { finding: string };
    const text = (await fleet('findings', shown.finding)).stdout;
    expect(text).toMatch(/^Cites +\d+ findings?$/m);
    expect(text).toMatch(/^Sources:\n {2}finding_[0-9a-f]+ {2}\d{4}-/m);
    expect(text).not.toContain('"counts"');
    const answer = JSON.parse((await fleet('findings', shown.finding, '--json')).stdout) as StoredFinding;
    expect(answer.result).toMatchObject({ counts: { done: 3 }, delegation: { haiku_tasks: 1 } });
  });

  it('makes the plan alone with --dry-run, says what it cost and what the rest would', async () => {
    await startWorkers();
    const { code, stdout, stderr } = await fleet('mission', 'Say it. [[tasks:30]]', '--mission-id', 'm', '--dry-run');
    expect(stderr).toContain('the plan alone; its calls are paid');
    expect(stdout).toMatch(/item × 30 \(1, 2, 3, 4, 5, …\)/);
    expect(stdout).toMatch(/Cost: +\$0\.\d{4} likely/);
    expect(stdout).toMatch(/Making the plan cost \$0\.\d{6}; no task was added\./);
    expect(code).toBe(0);
    expect(await redis.redis.exists(redis.keys.queueKey('tasks', 'm-1'))).toBe(0);
    expect((await fleet('mission', 'ls')).stdout).toMatch(/m +dry run, waits for approval +30 planned/);
    expect((await fleet('mission', 'm')).stdout).toContain(
      'Mission m: dry run, waits for approval: no task of it was added',
    );
    expect((await fleet('mission', 'ls', '--session', 'x')).stdout).toBe('There is no mission of session x.\n');

    const ran = await fleet('mission', 'run', 'm', '--drop', '2,30', '--wait');
    expect(ran).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/28 tasks done, 0 failed, 0 skipped/) as string,
    });
    expect(ran.stderr).toMatch(/^Mission m runs: 28 tasks, without 2, 30\n/);
    expect((await fleet('mission', 'm')).stdout).toMatch(/approved: .*, without 2, 30\n/);
    expect(await fleet('mission', 'run', 'm')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing was changed') as string,
    });
  });

  it('waits with --approve for a person, who edits the plan and runs it', async () => {
    await startWorkers();
    const { code, stdout } = await fleet('mission', 'Say it. [[tasks:4]]', '--mission-id', 'm', '--approve', '--wait');
    expect(stdout).toMatch(/ 1–4 {2}item × 4 .*\n(.*\n)*It waits for your approval:\n {2}fleet mission run m /);
    expect(code).toBe(1);
    expect((await fleet('mission', 'ls')).stdout).toMatch(/m +waits for approval +4 planned/);
    expect((await fleet('status')).stdout).toMatch(
      /^❓ m waits for approval of its plan\n(.*\n)* {2}➜ run it: fleet mission run m\n/,
    );
    const plan = JSON.parse((await fleet('mission', 'm', '--plan')).stdout) as { tasks: object[] };
    const folder = makeFolder({
      'wrong.json': JSON.stringify({ ...plan, tasks: [{ ...plan.tasks[0], kind: 'magic' }] }),
      'plan.json': JSON.stringify({ ...plan, tasks: [{ ...plan.tasks[0], for_each: ['1', '2'] }] }),
    });
    const wrong = await fleet('mission', 'run', 'm', '--edit', `${folder}/wrong.json`);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/task 1 \("item"\), kind: /) as string });
    const looked = await fleet('mission', 'run', 'm', '--edit', `${folder}/plan.json`, '--dry-run');
    expect(looked.stdout).toMatch(/would run: the edited plan, 2 tasks; nothing was changed\n(.*\n)*Cost: /);
    const ran = await fleet('mission', 'run', 'm', '--edit', `${folder}/plan.json`, '--wait');
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/2 tasks done/) as string });
    expect((await fleet('mission', 'Find', 'out')).stderr).toContain('expected one goal in quotes');
    expect((await fleet('mission', 'Find out.', '--drop', '2')).stderr).toContain('fleet mission run ID --drop');
  });

  it('exits 1 for a mission that fails, with its reasons, and goes on once it is retried', async () => {
    await startWorkers();
    const { code, stderr } = await fleet('mission', 'Say it. [[tasks:4]] [[fail:2]]', '--mission-id', 'm', '--wait');
    expect(code).toBe(1);
    expect(stderr).toMatch(/mission m failed: quorum: 2 of 4 tasks are done, 4 are needed/);
    expect((await fleet('failed')).stdout).toMatch(/quorum: 1 mission\n(.*\n)*.*fleet retry its failed tasks/);
    expect(await fleet('retry', 'm')).toMatchObject({ code: 0, stdout: 'Retried m\n' });
  });

  it('names no failed tasks where none was planned', async () => {
    await startWorkers();
    const { code, stdout } = await fleet('mission', 'Say it. [[cycle]]', '--mission-id', 'm', '--wait');
    expect(stdout).toMatch(/problem: .*goes in a circle: hen → egg → hen(.*\n)*.*next: +fleet retry m$/m);
    expect(code).toBe(1);
  });

  it('names the tasks that were cancelled with it', async () => {
    await startWorkers();
    await fleet('mission', 'Say it. [[tasks:3]] [[task-latency:20000]]', '--mission-id', 'm');
    await waitUntil(async () => (await redis.redis.exists(redis.keys.queueKey('tasks', 'm-1'))) === 1);
    await fleet('cancel', 'm');
    expect((await fleet('mission', 'm')).stdout).toMatch(
      /^Mission m: cancelled\n(.*\n)* +next: +fleet retry m runs it after all; before it those of its tasks: fleet jobs --mission m --state cancelled$/m,
    );

    const waited = await fleet('mission', 'm', '--wait');
    expect(waited.stderr).toMatch(/^⏹ {2}mission m was cancelled by a person$/m);
    expect(waited.stderr).not.toContain('failed');
    expect(waited.stdout).toMatch(/^Mission m: cancelled\n/);
    expect(waited.code).toBe(1);
    const json = await fleet('mission', 'm', '--wait', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ state: 'cancelled' });
  });

  it('exits 1 where its budget allows no plan, after a survey that is free', async () => {
    await startWorkers();
    const own = ['--mission-id', 'm', '--workspace', 'site', '--budget', '0.001'];
    const { code, stderr } = await fleet('mission', 'Say it. [[tasks:3]]', ...own, '--wait');
    expect(stderr).toMatch(/Survey: +2 files/);
    expect(stderr).toMatch(
      /--budget 0.001 is less than one call of claude-sonnet-5-5 may cost .*fleet budget USD --mission m/,
    );
    expect(stderr).toMatch(/mission m parked: the budget of mission m is \$0\.0010.*fleet budget USD --mission m/);
    expect(code).toBe(1);
  });

  it('exits 1 where all that it waits for is parked', async () => {
    const { startHaiku } = await startCoordinator();
    const waiting = fleet('mission', 'Say it. [[tasks:3]]', '--mission-id', 'm', '--wait');
    await waitUntil(async () => (await redis.redis.exists(redis.keys.queueKey('tasks', 'm-1'))) === 1);
    await fleet('budget', '0.001', '--mission', 'm');
    await startHaiku();
    const { code, stderr } = await waiting;
    expect(stderr).toMatch(/mission m parked: all it waits for is parked: 3 jobs; fleet budget USD --mission m/);
    expect(code).toBe(1);
    const resumed = await fleet('resume', 'm');
    expect(resumed.stderr).toContain('all it waits for is parked: 3 jobs; fleet budget USD --mission m');
    expect(resumed.code).toBe(2);
  });

  it('exits 3 while the fleet is halted', async () => {
    await startWorkers();
    await fleet('halt', 'a test');
    const { code, stderr } = await fleet('mission', 'Say it. [[tasks:3]]', '--wait');
    expect(code).toBe(3);
    expect(stderr).toContain('the fleet is halted');
  });

  it('warns where no coordinator is up', async () => {
    const { code, stderr } = await fleet('mission', 'Say it.');
    expect(stderr).toContain('No coordinator is up');
    expect(code).toBe(0);
  });

  it.each(['mission-8f3a2c1d9e4', 'mission-nope'])(
    'takes %s for an id that is mistyped, never for a goal',
    async (id) => {
      expect(await fleet('mission', id)).toMatchObject({
        code: 1,
        stderr: `Error: mission ${id}: there is none of this id\n`,
      });
      expect(await redis.redis.exists(redis.keys.missions)).toBe(0);
    },
  );

  it.each([
    [['mission', ''], 'expected a goal'],
    [['mission', 'Say it.', '--budget', '0'], 'expected dollars above 0'],
    [['mission', 'Say it.', '--workspace', 'nowhere'], '"nowhere" is not known'],
    [['mission', 'Say it.', '--quorum', '2'], 'expected a share'],
  ])('%j is wrong use', async (args, shown) => {
    const { code, stderr } = await fleet(...args);
    expect(stderr).toContain(shown);
    expect(code).toBe(2);
  });
});
