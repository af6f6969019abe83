import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readPatch, readPatchText, storePatch } from '../../../src/patches/record.ts';
import { makeFolder } from '../../support/folder.ts';
import { makePatch, makePersonRepository, type PersonRepository } from '../../support/patches/person-repository.ts';
import { plainEnvironment } from '../../support/process/fleet-command.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const main = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));
const hook = fileURLToPath(new URL('../../support/patches/kill-at-effect.mjs', import.meta.url));
const RUNS = Number(process.env['FLEET_TEST_RUNS'] ?? 4);

/** Runs a command to its end, or to its kill. @returns how it ended, and the count of its effects */
async function run(root: string, args: string[], kill: Record<string, string>) {
  const count = join(makeFolder(), 'count');
  const env = plainEnvironment({
    ...swarmEnvironment(redis, { FLEET_WORKSPACES: `site=${root}` }),
    GIT_CONFIG_GLOBAL: '/dev/null',
    KILL_COUNT: count,
    ...kill,
  });
  const child = spawn(process.execPath, ['--import', hook, main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, output, effects: existsSync(count) ? Number(readFileSync(count, 'utf8')) : 0 };
}

test('a kill at any line of apply loses nothing: the next one leaves HEAD, index and files in agreement', async () => {
  const random = createRandom(takeSeed('kills of apply'));
  const person = makePersonRepository({
    'a.txt': 'a\n',
    'lib/b.txt': 'b\n',
    'lib/deep/c.txt': 'c\n',
    'mine.txt': 'mine\n',
    'gone.txt': 'g\n',
    '.gitignore': '*.log\n',
  });
  const base = person.git('rev-parse', 'HEAD');
  const patches = [
    await makePatch(redis.db, person, 'task-1', {
      work: (tree) => {
        tree.write({ 'a.txt': 'A\n', 'new/x.txt': 'x\n' });
        tree.git('rm', '-q', '-r', 'lib');
        tree.write({ lib: 'a file now\n' });
        symlinkSync('a.txt', join(tree.root, 'link'));
      },
    }),
    await makePatch(redis.db, person, 'task-2', {
      work: (tree) => {
        tree.write({ 'second.txt': '2\n' });
        tree.git('rm', '-q', 'gone.txt');
      },
    }),
  ];
  const texts = await Promise.all(patches.map(({ findingId }) => readPatchText(redis.db, findingId)));
  person.write({ 'mine.txt': 'my edit\n', 'staged.txt': 'staged\n', 'x.log': 'log\n', 'untracked.txt': 'u\n' });
  person.git('add', 'staged.txt');
  const original = makeFolder();
  cpSync(person.root, original, { recursive: true, verbatimSymlinks: true });

  const reset = async (): Promise<void> => {
    rmSync(person.root, { recursive: true });
    cpSync(original, person.root, { recursive: true, verbatimSymlinks: true });
    for (const [i, record] of patches.entries()) await storePatch(redis.db, record, texts[i] ?? Buffer.alloc(0));
  };
  const apply = ['apply', 'task-1', 'task-2'];
  const whole = await run(person.root, apply, {});
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.effects).toBeGreaterThan(30);

  for (let turn = 0; turn < RUNS; turn += 1) {
    await reset();
    const points: string[] = [];
    for (let kills = random(1, 2); kills > 0; kills -= 1) {
      const point = { KILL_AT: String(random(1, whole.effects)), KILL_MODE: random(0, 1) === 0 ? 'before' : 'during' };
      points.push(`${point.KILL_AT} ${point.KILL_MODE}`);
      await run(person.root, apply, point);
    }
    const last = await run(person.root, apply, {});
    const where = `after kills at ${points.join(', then ')}\n${last.output}`;
    expect(last.code, where).toBe(0);
    expect(await listFacts(person, base), where).toEqual({
      commits: ['Do task-1', 'Do task-2'],
      status: [' M mine.txt', '?? untracked.txt', 'A  staged.txt', '!! x.log'].toSorted(),
      mine: ['my edit\n', 'log\n', 'u\n', 'staged\n'],
      applied: ['A\n', 'x\n', 'a file now\n', '2\n'],
      left: [],
      lock: false,
    });
    for (const { findingId, taskId } of patches) {
      const record = await readPatch(redis.db, findingId);
      expect(record, where).toMatchObject({ state: 'applied' });
      expect(person.git('log', '-1', '--format=%s', record?.applied?.commit ?? ''), where).toBe(`Do ${taskId}`);
    }
  }
});

async function listFacts(person: PersonRepository, base: string) {
  person.git('fsck', '--strict');
  const folder = join(person.root, '.git/haiku-fleet');
  return {
    commits: person.git('log', '--reverse', '--format=%s', `${base}..HEAD`).split('\n'),
    status: person.git('status', '--porcelain', '--ignored').split('\n').toSorted(),
    mine: ['mine.txt', 'x.log', 'untracked.txt', 'staged.txt'].map(person.read),
    applied: ['a.txt', 'new/x.txt', 'lib', 'second.txt'].map(person.read),
    left: existsSync(folder) ? readdirSync(folder) : [],
    lock: existsSync(join(person.root, '.git/index.lock')),
  };
}
