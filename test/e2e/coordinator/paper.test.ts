import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { shardEnvironment, SHARD_KEYS } from '../../support/fleet/paper-fleet.ts';
import { STORES } from '../../support/models/paper-model.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { spawnWorker } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const GOAL = 'Say how much tea, rum and gin the house holds [[sections:4]]';

let file = '';
let simulator: Simulator;
const shell = useShell(redis, () => ({ ANTHROPIC_BASE_URL: simulator.url, ...shardEnvironment(simulator) }));
const fleet = shell.run;
beforeEach(async () => {
  mkdirSync(join(shell.folder, 'out'));
  file = join(shell.folder, 'out', 'paper.md');
  await storeFindings(redis, STORES);
  simulator = await startSimulator({ anthropic: { latencyMs: 20 }, gemini: { latencyMs: 150 } });
  redis.cleanup(() => simulator.close());
});

/** Starts a built process and waits until it is ready. */
async function startProcess(kind: 'coordinator' | 'librarian') {
  const worker = spawnWorker(redis, kind, shell.env());
  if (!(await worker.isReady)) throw new Error(`${kind} ended:\n${worker.output()}`);
  return worker;
}

const startBoth = () => Promise.all([startProcess('coordinator'), startProcess('librarian')]);

const field = (name: string) => () => redis.redis.hexists(redis.keys.paper('p1'), name);

describe('fleet paper', () => {
  it('writes the file whole once the paper is, and never over one that is there', async () => {
    await startBoth();

    const written = await fleet('paper', GOAL, '--out', file);

    expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining(`✅ ${file}`) });
    expect(written.stderr).toMatch(/Redis: +round trip .*\nShards: +S1 ✅ \d+ left \| .*S5 ✅ \d+ left\n/);
    expect(written.stderr).toMatch(/Section: +1 of 4, .*: written/);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^# Say how much .*\n\n- Date: /);
    expect(text).toMatch(/\n## Sources\n\n- \[finding_/);
    expect(readdirSync(join(shell.folder, 'out'))).toEqual(['paper.md']);

    const calls = simulator.anthropic.requests().length;
    const again = await fleet('paper', GOAL, '--out', file);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
    expect(simulator.anthropic.requests()).toHaveLength(calls);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it.each([
    ['a folder that is not there', () => join(shell.folder, 'none', 'p.md'), /there is no folder/],
    ['a folder that is none', () => join(shell.folder, 'plain', 'p.md'), /is no folder/],
    ['a folder as the file', () => join(shell.folder, 'out'), /is there already/],
  ])('refuses %s before anything is paid', async (_, path, message) => {
    writeFileSync(join(shell.folder, 'plain'), '');
    expect(await fleet('paper', GOAL, '--out', path())).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message),
    });
    expect(await redis.redis.zcard(redis.keys.missions)).toBe(0);
  });

  it.each([
    [['paper'], /expected what it is about/],
    [['paper', ' ', '--out', 'x.md'], /expected what it is about/],
    [['paper', 'Tea'], /expected --out FILE/],
    [['paper', 'Tea', '--resume', 'p1'], /not both/],
    [['paper', '--resume', 'nobody'], /there is none of this id/],
    [['paper', 'show', 'nobody'], /no such paper/],
  ])('%j says what is wrong', async (args, message) => {
    const { code, stderr } = await fleet(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(args.includes('nobody') ? 1 : 2);
  });

  it('says which processes are missing, and leaves the file to --resume', async () => {
    const begun = await fleet('paper', GOAL, '--no-wait', '--mission-id', 'p1');
    expect(begun).toMatchObject({ code: 0, stdout: expect.stringContaining('fleet paper --resume p1') });
    expect(begun.stderr).toMatch(/No coordinator is up[\s\S]*No librarian is up/);

    await startBoth();

    expect(await fleet('paper', '--resume', 'p1', '--out', file)).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain('- Mission: p1\n');
  });

  it('stops at a refused shard, and goes on without it where its person says so', async () => {
    simulator.gemini.configure({ acceptKeys: SHARD_KEYS.slice(1) });
    await startBoth();

    const asked = await fleet('paper', GOAL, '--out', file, '--mission-id', 'p1');
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('4 of 5 shards work; S1: ') });
    expect(existsSync(file)).toBe(false);
    expect(await fleet('resume', 'p1', '--accept-shards')).toMatchObject({ code: 0 });

    expect(await fleet('paper', '--resume', 'p1', '--out', file)).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain('(without S1: ');
  });

  it('ends with 3 when a shard fails in the middle: drafts are readable, no file, and --resume finishes it', async () => {
    await startBoth();
    const writing = fleet('paper', GOAL, '--out', file, '--mission-id', 'p1');
    await waitUntil(field('outline'));
    simulator.gemini.configure({ acceptKeys: ['none'] });

    const halted = await writing;
    expect(halted).toMatchObject({ code: 3, stderr: expect.stringContaining('fleet resume p1 --skip-gemini') });
    expect(halted.stderr).toMatch(/Halted: shard at paper p1, section-\d: .*API key/);
    expect(readdirSync(join(shell.folder, 'out'))).toEqual([]);
    const shown = await fleet('paper', 'show', 'p1');
    expect(shown.stdout).toMatch(
      /\d of 4 sections are drafted[\s\S]*Blocked at section-\d since[\s\S]*\(not written yet\)/,
    );
    const before = (await fleet('status', '--json')).stdout;
    expect(JSON.parse(before)).toMatchObject({ halt: { reason: 'shard', mission: 'p1' } });

    simulator.gemini.configure({ acceptKeys: SHARD_KEYS });
    expect(await fleet('paper', '--resume', 'p1', '--out', file)).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain('## Sources');
  });

  it('that has failed is tried again with --resume once there is something to write from', async () => {
    await startBoth();
    const failed = await fleet('paper', GOAL, '--out', file, '--mission-id', 'p1', '--session', 'later');
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('session later holds no finding') });
    const tea = { task: 'Look at the store', result: 'The store holds 41 crates of tea.', at: '2026-11-05T10:00:00Z' };
    await storeFindings(redis, { finding_later: { ...tea, session: 'later' } });

    expect(await fleet('paper', '--resume', 'p1', '--out', file)).toMatchObject({ code: 0 });

    expect(readFileSync(file, 'utf8')).toContain('- [finding_later] 2026-11-05 10:00, later: ');
  });

  it('that a person cancels is cancelled, not failed, for whoever waits for it', async () => {
    const waiting = fleet('paper', GOAL, '--mission-id', 'p1', '--out', file);
    await waitUntil(async () => (await redis.redis.exists(redis.keys.queueKey('missions', 'p1'))) === 1);
    await fleet('cancel', 'p1');
    await startProcess('coordinator');

    const { code, stderr } = await waiting;
    expect(stderr).toContain('⏹  Paper p1 was cancelled by a person: fleet retry p1 runs it after all\n');
    expect(stderr).not.toContain('failed');
    expect(code).toBe(1);
    expect(existsSync(file)).toBe(false);

    const resumed = await fleet('paper', '--resume', 'p1', '--no-wait');
    expect(resumed).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Paper p1 was cancelled and is tried again'),
    });
  });

  it('interrupted, leaves nothing behind, and the paper goes on', async () => {
    await startBoth();
    const writing = shell.start(['paper', GOAL, '--out', file, '--mission-id', 'p1']);
    await waitUntil(field('outline'));
    writing.child.kill('SIGINT');

    expect(await writing.done).toMatchObject({ code: 130, stderr: expect.stringContaining('--resume p1 --out') });
    expect(readdirSync(join(shell.folder, 'out'))).toEqual([]);
    expect(await fleet('paper', '--resume', 'p1', '--out', file)).toMatchObject({ code: 0 });
  });

  it('killed -9 between its sections, the coordinator pays no call twice', async () => {
    const [first] = await startBoth();
    const writing = fleet('paper', GOAL, '--out', file, '--mission-id', 'p1');
    await waitUntil(field('outline'));
    await first.end('SIGKILL');
    const second = await startProcess('coordinator');
    await waitUntil(field('draft:0'), { timeoutMs: 40_000 });
    await second.end('SIGKILL');
    await startProcess('coordinator');

    expect(await writing).toMatchObject({ code: 0 });
    const drafts = 4;
    expect(simulator.anthropic.requests()).toHaveLength(1 + drafts); // the outline, and each section once
    expect(simulator.gemini.requests()).toHaveLength(SHARD_KEYS.length + drafts);
    expect(await redis.redis.hgetall(redis.keys.reservations)).toEqual({});
    expect(await redis.redis.hget(redis.keys.counters, 'uncertain_calls')).toBeNull();
  });
});
