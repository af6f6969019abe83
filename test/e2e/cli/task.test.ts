import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ResultLine } from '../../../src/tasks/batch/results.ts';
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
  site = makeFolder({ 'README.md': '# A site\n\nIt sells tea.\n' });
});

async function fleetJson<T>(...args: string[]): Promise<T> {
  const { stdout } = await fleet(...args, '--json');
  return JSON.parse(stdout) as T;
}

/** The simulator, and a worker process that calls it. */
async function startWorker(): Promise<void> {
  const simulator = await startAnthropicSimulator({ latencyMs: 5 });
  redis.cleanup(() => simulator.close());
  await startWorkerProcess(redis, { id: 'haiku_cli_001', provider: simulator.url, slots: 8, workspace: site });
}

function writeTasks(name: string, lines: unknown[]): string {
  const path = join(shell.folder, name);
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return path;
}

const readResults = (path: string): ResultLine[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);

const IMPOSSIBLE = { type: 'object', properties: { n: { type: 'integer', minimum: 5, maximum: 3 } }, required: ['n'] };

describe('a fleet of one worker', () => {
  it('does a task, shows its finding, its cost and the status', async () => {
    await startWorker();

    const task = await fleet(
      'task',
      'How many lines has README.md?',
      '--workspace',
      'site',
      '--kind',
      'docs',
      '--wait',
    );
    expect(task).toMatchObject({ code: 0 });
    const id = /finding_[0-9a-f]+/.exec(task.stdout)?.[0] ?? '';
    expect(task.stdout).toMatch(/^✅ .*\n\n3 lines in 1 file/);

    const shown = await fleet('findings', id);
    expect(shown.stdout).toContain('How many lines has README.md?');
    expect(shown.stdout).toContain('3 lines in 1 file');
    expect(shown.stdout).toContain('(simulated model)');
    const job = await fleet('job', id, '--follow');
    expect(job.stdout).toMatch(/^task task-\S+: done, /);
    expect(job.stdout).toMatch(
      / queued\n.* taken +by haiku_cli_001\n.* reserved +turn 1: .* at most\n.* call +turn 1: \$/,
    );
    expect(job.stdout).toContain(`Its finding: fleet findings ${id}`);
    expect((await fleet('job', id, '--forget')).stdout).toContain('removed its record');
    expect((await fleet('job', 'task-none')).code).toBe(1);
    const found = await fleetJson<StoredFinding[]>('findings', '--grep', 'SELLS TEA');
    expect(found).toEqual([]);
    expect(await fleetJson<StoredFinding[]>('findings', '--grep', '3 LINES')).toHaveLength(1);

    expect((await fleet('costs', '--by', 'worker')).stdout).toMatch(/haiku_cli_001 +1 /);
    const { stdout: status } = await fleet('status');
    expect(status).toContain('Redis Context:    1 findings (+1)');
    expect(status).toContain('Active Workers:   1 Haiku (haiku_cli_001), 8 slots');
    expect((await fleet('status', '--compact')).stdout.split('\n')).toHaveLength(2);
  });

  it('runs a file, writes its results, and mends what failed', async () => {
    await startWorker();
    const tasks = writeTasks('nightly.jsonl', [
      { description: 'How many lines has README.md?', workspace: 'site' },
      '{"description": "cut off',
      { description: 'Give a number', schema: IMPOSSIBLE, workspace: 'site', files: ['REDME.md'] },
    ]);
    const out = join(shell.folder, 'results.jsonl');

    const dry = await fleet('task', '--file', tasks, '--dry-run');
    expect(dry.stdout).toContain('nothing was added');
    expect(dry.stdout).toMatch(/Cost: +\$0\.\d{4} likely, between/);
    expect(dry.stdout).toMatch(/All Sonnet: +\$0\.\d{4}, saved 9\d\.\d %/);
    expect(dry.code).toBe(1); // a bad line
    expect(dry.stderr).toContain(
      '1 line names a file that the workspace does not have; the first is line 3: "REDME.md"',
    );

    const first = await fleet('task', '--file', tasks, '--wait', '--out', out);
    expect(first.code).toBe(1);
    expect(first.stderr).toContain('line 2: expected JSON');
    expect(readResults(out).map(({ line, state }) => [line, state])).toEqual([
      [1, 'completed'],
      [2, 'invalid'],
      [3, 'failed'],
    ]);

    const failed = await fleet('failed', '--batch', 'nightly');
    expect(failed.stdout).toMatch(/❌ schema: 1 task\n.*nightly-3/);
    expect(failed.stdout).toContain('fleet retry --batch nightly --reason schema');
    const listed = await fleet('jobs', 'a', 'number', '--batch', 'nightly');
    expect(listed.stdout).toMatch(
      /^JOB .*\nnightly-3 +failed schema .* nightly +Give a number\n {3}.*\n1 job, \d+ records? looked at\.$/m,
    );
    expect((await fleet('batches')).stdout).toMatch(/\nnightly +done +1 +1 +0 +0 .*\$0\.\d{4}/);
    expect(await fleet('jobs', '--client', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no client is called'),
    });
    expect((await fleet('jobs', '--session', 'nobody')).stderr).toContain('no session is called');

    const mended = join(shell.folder, 'mended.json');
    writeFileSync(mended, JSON.stringify({ description: 'How many lines has README.md?', workspace: 'site' }));
    expect(await fleet('retry', 'nightly-3', '--data', mended)).toMatchObject({ code: 0 });
    writeTasks('nightly.jsonl', [
      { description: 'How many lines has README.md?', workspace: 'site' },
      { description: 'Describe README.md', workspace: 'site' },
      { description: 'Give a number', schema: IMPOSSIBLE },
    ]);
    const second = await fleet('task', '--file', tasks, '--wait', '--out', out);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toContain('1 task added, 2 there already');
    expect(readResults(out).map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
    expect(await redis.redis.zcard(redis.keys.index)).toBe(3);

    const exported = join(shell.folder, 'findings.jsonl');
    expect((await fleet('findings', '--batch', 'nightly', '--export', exported)).stdout).toContain('3 findings');
    expect(readFileSync(exported, 'utf8').trimEnd().split('\n')).toHaveLength(3);
  });

  it('says wherever a finding is partial', async () => {
    await startWorker();
    const one = await fleet('task', 'Say it [[turns:9]]', '--max-turns', '2', '--wait');
    expect(one).toMatchObject({ code: 0 });
    expect(one.stdout).toContain('Partial: its worker ran out of turns');
    const id = /finding_[0-9a-f]+/.exec(one.stdout)?.[0] ?? '';
    expect((await fleet('findings', id)).stdout).toMatch(/^Partial +its worker ran out of turns/m);
    expect((await fleet('findings')).stdout).toContain('PARTIAL  ');

    const tasks = writeTasks('short.jsonl', [
      { description: 'Say more [[turns:9]]', max_turns: 2 },
      { description: 'Say hello [[turns:1]]' },
    ]);
    const out = join(shell.folder, 'results.jsonl');
    const batch = await fleet('task', '--file', tasks, '--wait', '--out', out);
    expect(batch).toMatchObject({ code: 0 });
    expect(batch.stdout).toContain('2: 2 completed (1 partial), 0 failed');
    expect(readResults(out).map(({ state }) => state)).toEqual(['partial', 'completed']);
    expect((await fleet('status')).stdout).toContain('3 findings (+3, 2 partial)');

    const single = await fleet('single', '--task', 'Say it again [[turns:9]]', '--max-turns', '2');
    expect(single.stdout).toContain('Partial: its worker ran out of turns');
    const exported = join(shell.folder, 'findings.jsonl');
    expect(await fleet('findings', '--export', exported)).toMatchObject({ code: 0 });
    expect(readFileSync(exported, 'utf8').match(/"status\\?":\\?"partial/g)).toHaveLength(3);
  });

  it('says wherever tool calls of a task failed', async () => {
    await startWorker();
    const task = { description: 'Commit README.md with git', workspace: 'site' }; // the workspace is no repository
    const one = await fleet('task', task.description, '--workspace', 'site', '--wait');
    expect(one).toMatchObject({ code: 0 });
    expect(one.stdout).toMatch(/ {3}1 tool error; fleet findings (finding_\w+)\n {5}git: /);
    const id = /finding_[0-9a-f]+/.exec(one.stdout)?.[0] ?? '';
    expect((await fleet('findings', id)).stdout).toMatch(/^Failed +1 tool call, the last of each tool:\n +git: /m);
    expect((await fleet('findings')).stdout).toContain('1 tool error  ');
    expect((await fleet('findings', '--find', 'committed nothing "commit README.md"')).stdout).toMatch(
      /^finding_\w+ +\S+Z {2}1 tool error {2}Nothing was committed/,
    );
    expect(await fleet('findings', '--find', 'tea', '--grep', 'tea')).toMatchObject({ code: 2 });
    expect(await fleet('findings', '--find', '?')).toMatchObject({ code: 2 });

    const out = join(shell.folder, 'results.jsonl');
    const tasks = writeTasks('commits.jsonl', [
      task,
      { description: 'How many lines has README.md?', workspace: 'site' },
    ]);
    const batch = await fleet('task', '--file', tasks, '--wait', '--out', out);
    expect(batch.stdout).toContain('2: 2 completed (1 with tool errors), 0 failed');
    expect(readResults(out)).toMatchObject([
      { state: 'completed', tool_errors: 1 },
      { state: 'completed', tool_errors: 0 },
    ]);
    expect((await fleet('status')).stdout).toContain('3 findings (+3, 2 with tool errors)');
    const single = await fleet('single', '--task', task.description, '--workspace', 'site');
    expect(single.stdout).toMatch(/ {3}1 tool error; fleet findings/);
  });

  it('halts with a reason, says it to whoever waits, and goes on', async () => {
    await startWorker();
    const tasks = writeTasks('work.jsonl', [{ description: 'How many lines has README.md?', workspace: 'site' }]);
    expect(await fleet('halt', 'prices', 'look', 'wrong')).toMatchObject({ code: 0 });

    const waiting = await fleet('task', '--file', tasks, '--wait');
    expect(waiting.code).toBe(3);
    expect(waiting.stdout).toContain('Halted: person (prices look wrong)');
    expect(await fleet('task', 'x', '--wait')).toMatchObject({ code: 3 });
    expect((await fleet('status')).stdout).toContain('prices look wrong');

    expect((await fleet('resume')).stdout).toContain('Lifted: person (prices look wrong)');
    expect(await fleet('resume')).toMatchObject({ code: 2 });
    expect(await fleet('task', '--file', tasks, '--wait')).toMatchObject({ code: 0 });
  });

  it('parks a batch at its budget and goes on with a higher one', async () => {
    await startWorker();
    const tasks = writeTasks('poor.jsonl', [{ description: 'How many lines has README.md?', workspace: 'site' }]);

    const parked = await fleet('task', '--file', tasks, '--budget', '0.0001', '--wait');
    expect(parked.code).toBe(1);
    expect(parked.stdout).toContain('fleet budget USD --batch poor');
    expect((await fleet('status')).stdout).toContain('Parked: budget');
    const one = await fleet('task', 'Say it.', '--task-id', 'one', '--budget', '0.0001', '--wait');
    expect(one.stderr).toContain(
      'Error: job one is parked: budget ($0.000100, $0.000000 spent, $0.000100 left); a higher one releases it: fleet budget USD --task one',
    );
    expect(one.code).toBe(1);

    expect((await fleet('budget', '1', '--batch', 'poor')).stdout).toContain('Released: 1 parked job');
    expect(await fleet('task', '--file', tasks, '--wait')).toMatchObject({ code: 0 });
    expect((await fleet('budget', '--batch', 'poor')).stdout).toMatch(
      /Budget of batch poor: \$1\.0000, \$0\.0\d+ spent/,
    );
  });

  it('shows each message as it comes', async () => {
    await startWorker();
    const monitor = shell.start(['monitor', '--json']);
    await waitUntil(async () => /name=fleet-monitor.*cmd=xread/.test(String(await redis.redis.client('LIST'))));

    await fleet('task', 'How many lines has README.md?', '--workspace', 'site', '--task-id', 'seen', '--wait');
    await waitUntil(() => monitor.output().includes('"finding"'));
    monitor.child.kill('SIGTERM');

    const { stdout } = await monitor.done;
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(lines.map(({ what }) => what)).toEqual(['begun', 'finding']);
    expect(lines[0]).toMatchObject({ id: 'seen', batch: null, worker: 'haiku_cli_001' });
    expect(lines[1]).toMatchObject({ summary: expect.stringContaining('3 lines') as string });
  });

  it('cancels a task that another process is running', async () => {
    const simulator = await startAnthropicSimulator({ latencyMs: 60_000 });
    redis.cleanup(() => simulator.close());
    await startWorkerProcess(redis, { id: 'haiku_cli_001', provider: simulator.url });
    await fleet('task', 'takes long', '--task-id', 'long');
    await waitUntil(async () => (await redis.redis.llen(redis.keys.queueKey('tasks', 'active'))) === 1);

    expect((await fleet('cancel', 'long')).stdout).toContain('Cancelled long');

    await waitUntil(async () => (await redis.redis.zscore(redis.keys.queueKey('tasks', 'failed'), 'long')) !== null);
    expect((await fleet('failed')).stdout).toContain('⏹  cancelled: 1 task');
    expect((await fleet('failed', '--session', 'other')).stdout).toBe('Nothing of session other has failed.\n');
    expect(await fleet('cancel', 'long')).toMatchObject({ code: 2 });
    expect(await fleet('task', 'takes long', '--task-id', 'long', '--wait')).toMatchObject({
      code: 1,
      stderr: 'long is there already: cancelled\nError: job long was cancelled by a person\n',
    });
  });
});

describe('without workers', () => {
  it('does a single task and prints what it cost', async () => {
    const single = await fleet(
      'single',
      '--task',
      'How many lines has README.md?',
      '--workspace',
      'site',
      '--worker-id',
      'me',
    );

    expect(single.code).toBe(0);
    expect(single.stdout).toMatch(
      /^✅ Finding written: finding:(finding_[0-9a-f]{16})\n {3}Cost: \$0\.\d{6} \(\d+ input, \d+ output\) — Sonnet: \$0\.\d{6}, saved \d+\.\d %\n {3}Coordinator: fleet findings \1\n\n3 lines in 1 file\b/,
    );
    const [finding] = await fleetJson<StoredFinding[]>('findings');
    expect(finding).toMatchObject({ worker_id: 'me', files_changed: [] });
    expect(Number(await redis.redis.get(redis.keys.cost('haiku')))).toBeCloseTo(finding?.cost ?? 0, 5); // six decimals in a finding, nine in the totals
  });

  it('says what single mode needs', async () => {
    expect(await fleet('single')).toMatchObject({ code: 1, stderr: 'Error: --task required for single mode\n' });
  });

  it('books a single task’s call as uncertain when it is interrupted', async () => {
    const simulator = await startAnthropicSimulator({ latencyMs: 60_000 });
    redis.cleanup(() => simulator.close());
    const single = shell.start(['single', '--task', 'takes long'], { env: { ANTHROPIC_BASE_URL: simulator.url } });
    await waitUntil(() => simulator.requests().length === 1, { what: 'the call' });
    single.child.kill('SIGINT');

    const { code, stderr } = await single.done;
    expect(code).toBe(1);
    expect(stderr).toContain('uncertain');
    expect(await redis.redis.hget(redis.keys.counters, 'uncertain_calls')).toBe('1');
    expect(await redis.redis.hlen(redis.keys.reservations)).toBe(0);
    expect(await redis.redis.get(redis.keys.cost('haiku'))).toBeNull();
  });

  it('halts the fleet when the provider refuses the key of a single task', async () => {
    const simulator = await startAnthropicSimulator({ acceptKey: () => false });
    redis.cleanup(() => simulator.close());
    const single = await shell.start(['single', '--task', 'x'], { env: { ANTHROPIC_BASE_URL: simulator.url } }).done;

    expect(single.code).toBe(3);
    const status = await fleet('status');
    expect(status).toMatchObject({ code: 3 });
    expect(status.stdout).toMatch(/^⛔ HALTED /);
    expect((await fleet('status', '--json')).code).toBe(3);
  });

  it('keeps sessions, contexts and budgets', async () => {
    writeFileSync(join(shell.folder, 'NOTES.md'), 'We sell tea.\n');
    expect((await fleet('session', 'instance-11')).stdout).toContain('Session instance-11 began');
    expect((await fleet('session', 'instance-11')).stdout).toMatch(
      /^Session instance-11 is in force already: it began \d{4}-.* Nothing was changed\.$/m,
    );
    expect((await fleet('session')).stdout).toMatch(/^Session instance-11 began \d{4}-.* and has \d+ findings?\.$/m);
    expect(await fleet('session', 'two words')).toMatchObject({ code: 2 });

    expect(await fleet('context', 'load', 'history', join(shell.folder, 'NOTES.md'))).toMatchObject({ code: 0 });
    expect((await fleet('context', 'ls')).stdout).toMatch(/history +13 /);
    expect(await fleet('task', 'x', '--context', 'history')).toMatchObject({ code: 0 });
    expect(await fleet('context', 'rm', 'history')).toMatchObject({ code: 0 });
    expect((await fleet('task', 'x', '--context', 'history')).stderr).toContain('there is none named history');

    expect((await fleet('budget')).stdout).toContain('$5.0000');
    expect((await fleet('budget', '2.50')).stdout).toContain('$2.5000');
  });

  it('reads a pipe as a batch', async () => {
    const piped = shell.start(['task', '--file', '-', '--batch', 'piped'], {
      input: '{"description":"one"}\n{"description":"two"}\n',
    });

    expect((await piped.done).stdout).toContain('Batch piped: 2 tasks added (2 lines read)');
    expect(await redis.redis.llen(redis.keys.queueKey('tasks', 'wait'))).toBe(2);
  });

  it('leaves no half file behind when waiting is interrupted', async () => {
    const out = join(shell.folder, 'results.jsonl');
    const temporary = join(shell.folder, 'tmp');
    mkdirSync(temporary);
    const tasks = writeTasks('late.jsonl', [{ description: 'one' }]);
    const waiting = shell.start(['task', '--file', tasks, '--wait', '--out', out], { env: { TMPDIR: temporary } });
    await waitUntil(() => waiting.output().includes('No worker is up'));
    waiting.child.kill('SIGINT');

    const { code, stderr } = await waiting.done;
    expect(code).toBe(130);
    expect(stderr).toContain('the same command takes up batch late again');
    expect(readdirSync(shell.folder).toSorted()).toEqual(['late.jsonl', 'tmp']);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('prints starter prompts', async () => {
    const [coordinator, worker] = await Promise.all([fleet('prompt', 'coordinator'), fleet('prompt', 'worker')]);
    for (const prompt of [coordinator, worker]) expect(prompt.stdout).toContain('fleet status --compact');
    expect(coordinator.stdout).toContain('fleet task --file');
    expect(worker.stdout).toContain('fleet single --task');
  });

  it('leaves the results file as it was when the loading fails', async () => {
    const out = join(shell.folder, 'results.jsonl');
    writeFileSync(out, 'old\n');
    const first = writeTasks('a.jsonl', [{ description: 'one' }]);
    await fleet('task', '--file', first, '--batch', 'same');
    const other = writeTasks('b.jsonl', [{ description: 'another' }]);

    expect(await fleet('task', '--file', other, '--batch', 'same', '--out', out)).toMatchObject({ code: 2 });

    expect(readFileSync(out, 'utf8')).toBe('old\n');
    expect(existsSync(out)).toBe(true);
  });
});
