import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { fleetEntry, runFleet } from '../../support/process/fleet-command.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { makeFolder } from '../../support/folder.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis, (folder) => ({ FLEET_WORKSPACES: `site=${folder}` }));
const fleet = shell.run;
const countJobs = async (): Promise<number> => redis.redis.llen(redis.keys.queueKey('tasks', 'wait'));

describe('wrong use', () => {
  it.each([
    ['an unknown command', ['stauts'], /unknown command 'stauts'\n\(Did you mean status\?\)/],
    ['an unknown option', ['status', '--compct'], /unknown option '--compct'\n\(Did you mean --compact\?\)/],
    ['no description', ['task'], /expected a description, or --file/],
    ['a description of white space', ['task', '  '], /description: expected words, got none/],
    ['a question of white space', ['ask', '  '], /question: expected words, got none/],
    ['a retraction without a reason', ['findings', 'retract', 'f', '--why', ' '], /--why: expected a reason/],
    ['a budget of nothing', ['task', 'x', '--budget', '0'], /budget_usd: expected dollars above 0/],
    [
      'a budget too small to be stored',
      ['task', 'x', '--budget', '1e-12'],
      /budget_usd: expected at least 0\.000000001/,
    ],
    ['an id where a paper wants a goal', ['paper', 'mission-8f3a', '--out', 'f.md'], /fleet paper show mission-8f3a/],
    ['data that is no JSON', ['task', 'x', '--data', '{no'], /--data: expected JSON/],
    ['an unknown kind', ['task', 'x', '--kind', 'poem'], /Allowed choices are file, git/],
    ['an unknown workspace', ['task', 'x', '--workspace', 'nowhere'], /workspace: "nowhere" is not known; known: site/],
    [
      'a path that leaves the workspace',
      ['task', 'x', '--workspace', 'site', '--files', '../x'],
      /leaves the workspace/,
    ],
    [
      'a file that the workspace does not have',
      ['task', 'x', '--workspace', 'site', '--files', 'nope.js'],
      /--files: workspace site has no "nope\.js"; .*--allow-missing/,
    ],
    [
      'a model without a price',
      ['task', 'x', '--model', 'gpt-9000'],
      /no price is known for it; known are gpt-6-luna, .*and others: fleet models/,
    ],
    ['a budget that is no number', ['task', 'x', '--budget', 'lots'], /Expected dollars/],
    ['batch options without a file', ['task', 'x', '--batch', 'b'], /only for --file: --batch/],
    ['a file that is not there', ['task', '--file', 'nosuch.jsonl'], /cannot read nosuch\.jsonl/],
    ['a pipe without a name', ['task', '--file', '-'], /give --batch NAME/],
    ['a retry of nothing', ['retry'], /expected job ids, --batch or --reason/],
    ['a worker id with a space', ['single', '--task', 'x', '--worker-id', 'a b'], /--worker-id: expected letters/],
    ['an apply of nothing', ['apply'], /apply: expected ids, or --batch NAME, or --mission ID; got nothing/],
    ['an apply of two kinds', ['apply', 'x', '--batch', 'b'], /got ids and --batch/],
    ['an undo of nothing', ['undo'], /missing required argument 'ids'/],
    ['a discard of nothing', ['discard'], /discard: expected ids, or --batch NAME/],
    ['a check of nothing', ['apply', 'x', '--check', ' '], /--check: expected a command, got none/],
    ['a pull request without leave', ['apply', 'x', '--pr'], /--pr: .* only where FLEET_PR=1 is set; nothing was done/],
    ['an apply of a blank', ['apply', ' '], /apply: expected an id or a name, got " "/],
    ['an impossible role', ['prompt', 'king'], /Allowed choices are coordinator, worker/],
  ])('names %s in a line or two, and exits 2', async (_, args, message) => {
    const { code, stdout, stderr } = await fleet(...args);

    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(await countJobs()).toBe(0);
  });

  it.each([
    ['batch', ['failed', '--batch', 'nosuch'], /batch "nosuch": there is none of this name/],
    ['finding', ['findings', 'nosuch'], /finding nosuch: there is none/],
    ['finding to retract', ['findings', 'retract', 'nosuch', '--why', 'x'], /finding nosuch: there is none/],
    ['job to retry', ['retry', 'nosuch'], /job nosuch: no such job/],
    ['job to cancel', ['cancel', 'nosuch'], /job nosuch: no such job/],
    ['patch to show', ['diff', 'nosuch'], /patch nosuch: there is none; `fleet diff` lists those that wait/],
    ['patch to apply', ['apply', 'nosuch'], /patch nosuch: there is none/],
    ['patch to undo', ['undo', 'nosuch'], /patch nosuch: there is none/],
    ['patch to discard', ['discard', 'nosuch'], /patch nosuch: there is none/],
    ['mission to apply', ['apply', '--mission', 'nosuch'], /mission nosuch: there is none/],
    ['batch to apply', ['apply', '--batch', 'nosuch'], /batch "nosuch": there is none of this name/],
    ['context', ['context', 'rm', 'nosuch'], /context nosuch: there is none/],
  ])('exits 1 for a %s that does not exist, and names it', async (_, args, message) => {
    const { code, stderr } = await fleet(...args);

    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });

  it('warns of a batch budget that is below what one call may cost', async () => {
    writeFileSync(join(shell.folder, 'few.jsonl'), '{"description":"x"}\n');
    const few = (budget: string) =>
      fleet('task', '--file', join(shell.folder, 'few.jsonl'), '--dry-run', '--budget', budget);

    expect((await few('0.001')).stderr).toMatch(/--budget 0\.001 is less than one call of claude-haiku-5-5 may cost/);
    expect((await few('1')).stderr).toBe('');
  });

  it('stores and sends no text that it cannot read exactly, and names file, byte and offset', async () => {
    const latin = join(shell.folder, 'latin.json');
    writeFileSync(latin, Buffer.from('{"name":"caf\xe9"}', 'latin1'));
    const wrong = /latin\.json is not UTF-8 text: byte 0xe9 at offset 12; .*iconv/;
    for (const args of [
      ['context', 'load', 'notes', latin],
      ['task', 'x', '--data-file', latin],
      ['task', 'x', '--schema', latin],
    ]) {
      const { code, stdout, stderr } = await fleet(...args);
      expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(wrong) as string });
    }
    const piped = shell.start(['context', 'load', 'notes', '-'], { input: Buffer.from('caf\xe9', 'latin1') });
    expect(await piped.done).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the standard input is not UTF-8 text: byte 0xe9 at offset 3/) as string,
    });
    expect(await redis.redis.hlen(redis.keys.contexts)).toBe(0);
    expect(await countJobs()).toBe(0);

    writeFileSync(latin, Buffer.from('\uFEFFcafé\n', 'utf16le'));
    expect((await fleet('context', 'load', 'notes', latin)).stdout).toMatch(/6 bytes.*, decoded from UTF-16LE/);
    expect(await redis.redis.get(redis.keys.context('notes'))).toBe('café\n');
  });

  it.runIf(process.platform === 'linux')('takes no words that the terminal gave in other letters', async () => {
    const command = `exec "$0" "$1" task "$(printf 'caf\\351')"`; // Node itself can give no such argument
    const env = shell.env();
    const { code, stderr } = await promisify(execFile)('sh', ['-c', command, process.execPath, fleetEntry], {
      env,
    }).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    );
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/argument "caf\uFFFD" is not UTF-8 text: byte 0xe9 at offset 3/) as string,
    });
    expect(await countJobs()).toBe(0);
    expect(await fleet('task', 'a mark of its own: \uFFFD')).toMatchObject({ code: 0 });
  });

  it('names a schema that is none', async () => {
    writeFileSync(join(shell.folder, 'schema.json'), JSON.stringify({ type: 'nonsense' }));
    const { code, stderr } = await fleet('task', 'x', '--schema', join(shell.folder, 'schema.json'));

    expect(code).toBe(2);
    expect(stderr).toContain('schema');
    expect(await countJobs()).toBe(0);
  });

  it('names the limit of a task of 300 kB', async () => {
    writeFileSync(join(shell.folder, 'data.json'), JSON.stringify('x'.repeat(300_000)));
    const { code, stderr } = await fleet('task', 'x', '--data-file', join(shell.folder, 'data.json'));

    expect(code).toBe(2);
    expect(stderr).toMatch(/expected at most 256 kB as JSON, got 293 kB; put the material into a file/);
    expect(await countJobs()).toBe(0);
  });

  it('refuses a finding id that is taken', async () => {
    expect(await fleet('task', 'x', '--finding-id', 'finding_mine')).toMatchObject({ code: 0 });
    const { code, stderr } = await fleet('task', 'y', '--finding-id', 'finding_mine');

    expect(code).toBe(2);
    expect(stderr).toContain('finding_id: "finding_mine" is taken');
    expect(await countJobs()).toBe(1);
  });

  it('reports a task id that is there, and adds nothing', async () => {
    await fleet('task', 'x', '--task-id', 'mine');
    const { code, stdout } = await fleet('task', 'x', '--task-id', 'mine');

    expect(code).toBe(0);
    expect(stdout).toContain('mine is there already: waiting; nothing was added');
    expect(await countJobs()).toBe(1);
  });

  it('shows an example in the help of each command', async () => {
    const { stdout } = await fleet('--help');
    const names = [...stdout.matchAll(/^ {2}([a-z]+)\b/gm)]
      .map(([, name]) => name ?? '')
      .filter((name) => name !== 'help');
    expect(names).toContain('task');
    const mine =
      'task single status costs findings monitor failed retry cancel halt resume budget session context prompt';
    const helps = await Promise.all(
      mine.split(' ').map(async (name) => {
        const { code, stdout: help } = await fleet(name, '--help');
        return { name, code, hasExample: help.includes(`fleet ${name}`) && /Examples?:/.test(help) };
      }),
    );
    expect(helps.filter(({ code, hasExample }) => code !== 0 || !hasExample)).toEqual([]);
  });
});

describe('a Redis that cannot be used', () => {
  it('says in one line that it is not there, and exits 1', async () => {
    const url = `redis://127.0.0.1:${await findFreePort()}`;
    for (const args of [['status'], ['task', 'x'], ['costs', '--json'], ['halt', 'enough']]) {
      const { code, stdout, stderr } = await shell.start(args, { env: { REDIS_URL: url } }).done;
      expect(stderr).toMatch(/^Error: Redis is not reachable at 127\.0\.0\.1:\d+; start it, .*\n$/);
      expect(stdout).toBe('');
      expect(code).toBe(1);
    }
  });

  it('says that it is full, and loses nothing of what is there', async () => {
    await fleet('task', 'kept', '--task-id', 'kept');
    await redis.redis.config('SET', 'maxmemory', '1mb');
    try {
      const { code, stderr } = await fleet('task', 'one more');
      expect(stderr).toMatch(/^Error: Redis at 127\.0\.0\.1:\d+ is full and takes nothing more; .*\n$/);
      expect(code).toBe(1);
    } finally {
      await redis.redis.config('SET', 'maxmemory', '0');
    }
    expect(await countJobs()).toBe(1);
    expect(await fleet('task', 'one more')).toMatchObject({ code: 0 });
  });
});

describe('a Redis that evicts data', () => {
  it('is given no work', async () => {
    await redis.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    redis.cleanup(() => redis.redis.config('SET', 'maxmemory-policy', 'noeviction'));
    const before = await countJobs();
    const { code, stderr } = await fleet('task', 'one more');
    expect(stderr).toMatch(/Redis evicts data when it is full \(maxmemory-policy allkeys-lru\).*noeviction\n$/);
    expect(code).toBe(1);
    expect(await countJobs()).toBe(before);
  });
});

describe('the shell around it', () => {
  it('ends quietly when nobody reads on', async () => {
    const monitor = shell.start(['status', '--watch']);
    monitor.child.stdout?.destroy();

    const { stderr } = await monitor.done;
    expect(stderr).toBe('');
  });

  it('names a misspelt variable once, beside what it does', async () => {
    const env = { FLEET_BUDGET_USDD: '1', ANTHROPIC_MODEL: 'theirs' };
    const { code, stdout, stderr } = await shell.start(['failed'], { env }).done;
    expect(stderr).toBe(
      '⚠️  FLEET_BUDGET_USDD is no name that this fleet knows, so that it sets no budget: that of a new swarm is $5 a day: did you mean FLEET_BUDGET_USD?\n',
    );
    expect(stdout).not.toBe('');
    expect(code).toBe(0);
    expect((await shell.start(['failed', '--help'], { env }).done).stderr).toBe('');
  });

  it('ignores a .env of the folder it is typed in', async () => {
    const elsewhere = makeFolder({ '.env': 'REDIS_URL=redis://127.0.0.1:1\nFLEET_SWARM=WRONG\n' });
    const { code } = await runFleet(['status'], shell.env(), elsewhere);

    expect(code).toBe(0);
  });

  it('paints nothing where no terminal is', async () => {
    const { stdout } = await fleet('status');
    expect(stdout).not.toContain('\u001b[');
  });
});

describe('what a filter or a budget leaves no room for', () => {
  it('is named by costs, which does not say that nothing was spent', async () => {
    const { code, stdout } = await fleet('costs', '--batch', 'nosuch');
    expect(stdout).toBe('Nothing has been spent on batch nosuch; fleet costs --by batch: what there is\n');
    expect(code).toBe(0);
  });

  it('ends a single task with the option that helps, and no command for a job that is gone', async () => {
    const { code, stderr } = await fleet('single', '--task', 'Say it.', '--budget', '0.000001');
    expect(stderr).toBe('Error: the next call could pass --budget $0.000001; begin again with more\n');
    expect(code).toBe(1);
  });
});

it('says that no librarian is up for a question that is waited for', async () => {
  await fleet('halt', 'so that the wait ends');
  const { code, stderr } = await fleet('ask', 'What is known?', '--wait');
  expect(stderr).toContain('No librarian is up: the question waits for one; fleet up starts it');
  expect(code).toBe(3);
});
