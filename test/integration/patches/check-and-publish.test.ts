import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { applyPatches } from '../../../src/patches/apply/apply-patches.ts';
import { nameOwned } from '../../../src/patches/apply/person/owner.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import { readPatch } from '../../../src/patches/record.ts';
import {
  makePatch,
  makePersonRepository,
  openHost,
  type PersonRepository,
} from '../../support/patches/person-repository.ts';
import { waitUntil } from '../../support/wait.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
let person: PersonRepository;
let host: PatchHost;

beforeEach(async () => {
  person = makePersonRepository({ 'a.txt': 'one\n', '.gitignore': 'modules\n' });
  host = await openHost(redis, person, { links: ['modules'] });
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const make = async (task: string, files: Record<string, string>) =>
  await makePatch(host.db, person, task, { work: (tree) => tree.write(files) });
const checkFolders = (): string[] => {
  const folder = join(host.dataFolder, redis.swarm, 'checks');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe('--check', () => {
  test('leaves red patches out with the tail of the output, and tests each on top of the green ones', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'not-a-key');
    mkdirSync(join(person.root, 'modules'));
    writeFileSync(join(person.root, 'modules/tool'), 'linked\n');
    person.write({ 'a.txt': 'an edit of mine that no check sees\n' });
    await make('task-1', { 'green.txt': '1\n' });
    const red = await make('task-2', { 'red.txt': '2\n' });
    await make('task-3', { 'last.txt': '3\n' });
    const seen: string[] = [];
    const check = `test -z "$ANTHROPIC_API_KEY" && grep -q one a.txt && cat modules/tool && git status --porcelain && ls && test ! -e red.txt`;
    const { patches } = await applyPatches(host, {
      ids: ['task-1', 'task-2', 'task-3'],
      check,
      onCheck: (at, of, subject) => seen.push(`${at}/${of} ${subject}`),
    });
    expect(patches.map(({ outcome }) => outcome)).toEqual(['applied', 'red', 'applied']);
    expect(patches[1]?.why).toBe('the check ended with exit code 1\nlinked\na.txt\ngreen.txt\nmodules\nred.txt');
    expect(seen).toEqual(['1/3 Do task-1', '2/3 Do task-2', '3/3 Do task-3']);
    expect(person.git('log', '-2', '--format=%s')).toBe('Do task-3\nDo task-1');
    expect(person.read('a.txt')).toBe('an edit of mine that no check sees\n');
    expect(await readPatch(host.db, red.findingId)).toMatchObject({ state: 'pending' });
    expect(checkFolders()).toEqual([]);
  });

  test('is ended by an abort, which leaves nothing behind', async () => {
    await make('task-1', { 'b.txt': '1\n' });
    const controller = new AbortController();
    const started = join(dirname(person.root), 'started');
    const applying = applyPatches(host, {
      ids: ['task-1'],
      check: `touch '${started}'; exec sleep 600`,
      signal: controller.signal,
    });
    void waitUntil(() => existsSync(started)).then(() => controller.abort(new Error('stopped')));
    await expect(applying).rejects.toThrow('stopped');
    expect(checkFolders()).toEqual([]);
    expect(readdirSync(join(person.root, '.git/haiku-fleet'))).toEqual([]);
    expect(person.git('log', '-1', '--format=%s')).toBe('First');
  });

  test('of a killed command leaves a tree that the next command removes, and none of a running one', async () => {
    const { pid } = spawnSync('true');
    const folder = join(host.dataFolder, redis.swarm, 'checks');
    const own = nameOwned();
    for (const name of [`apply.${pid}.0.abcdef.${hostname()}`, own]) mkdirSync(join(folder, name), { recursive: true });
    await make('task-1', { 'b.txt': '1\n' });
    await applyPatches(host, { ids: ['task-1'] });
    expect(checkFolders()).toEqual([own]);
  });

  test('may be tried without applying anything', async () => {
    await make('task-1', { 'b.txt': '1\n' });
    const before = person.git('count-objects');
    const report = await applyPatches(host, { ids: ['task-1'], check: 'test -e b.txt', dryRun: true });
    expect(report).toMatchObject({ patches: [{ outcome: 'fits', commit: null }] });
    expect(person.git('count-objects')).toBe(before);
    expect(person.git('log', '-1', '--format=%s')).toBe('First');
  });
});

describe('--branch', () => {
  test('makes the branch and moves it on, and leaves HEAD and working tree', async () => {
    await make('task-1', { 'a.txt': 'ONE\n' });
    await make('task-2', { 'b.txt': '2\n' });
    person.write({ 'a.txt': 'mine\n' }); // no obstacle: the tree stays
    expect(await applyPatches(host, { ids: ['task-1'], branch: 'try' })).toMatchObject({
      patches: [{ outcome: 'applied' }],
    });
    const second = await applyPatches(host, { ids: ['task-2'], branch: 'try' });
    expect(person.git('log', '--format=%s', 'main..try')).toBe('Do task-2\nDo task-1');
    expect(person.git('log', '-1', '--format=%s')).toBe('First');
    expect(person.read('a.txt')).toBe('mine\n');
    const record = await readPatch(host.db, second.patches[0]?.findingId ?? '');
    expect(record?.applied).toMatchObject({ onto: 'refs/heads/try', commit: person.git('rev-parse', 'try') });
  });

  test.each([
    ['main', /a working tree is on it/],
    ['fleet/x', /branches under fleet\/ belong to tasks/],
    ['-x', /git takes no such name/],
    ['a..b', /git takes no such name/],
    ['', /git takes no such name/],
    ['x y', /git takes no such name/],
  ])('refuses %j', async (branch, why) => {
    await make('task-1', { 'b.txt': '1\n' });
    const { patches } = await applyPatches(host, { ids: ['task-1'], branch });
    expect(patches).toMatchObject([{ outcome: 'refused', why: expect.stringMatching(why) }]);
  });
});

describe('--pr', () => {
  const installGh = (script: string): string => {
    const folder = join(dirname(person.root), 'bin');
    mkdirSync(folder);
    writeFileSync(join(folder, 'gh'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'gh'), 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    return folder;
  };
  const addRemote = (): void => {
    person.git('init', '-q', '--bare', '../remote.git');
    person.git('remote', 'add', 'origin', '../remote.git');
  };

  test('is refused before anything happens, unless it is allowed', async () => {
    installGh('exit 9');
    addRemote();
    await make('task-1', { 'b.txt': '1\n' });
    await expect(applyPatches(host, { ids: ['task-1'], pr: true })).rejects.toThrow(UsageError);
    expect(person.git('branch', '--list', 'fleet-apply/*')).toBe('');
    expect(person.git('ls-remote', 'origin')).toBe('');
  });

  test('pushes the branch and opens the request', async () => {
    const folder = installGh('printf "%s\\n" "$@" > "$(dirname "$0")/args"; echo https://example.invalid/pull/1');
    addRemote();
    await make('task-1', { 'b.txt': '1\n' });
    const allowed = { ...host, mayPublish: true };
    const { pullRequest } = await applyPatches(allowed, { ids: ['task-1'], pr: true });
    expect(pullRequest).toEqual({ opened: true, text: 'https://example.invalid/pull/1' });
    const tip = person.git('rev-parse', 'fleet-apply/task-1');
    expect(person.git('ls-remote', 'origin')).toBe(`${tip}\trefs/heads/fleet-apply/task-1`);
    expect(readFileSync(join(folder, 'args'), 'utf8')).toMatch(
      /^pr\ncreate\n--head\nfleet-apply\/task-1\n--title\nDo task-1\n/,
    );
    expect(person.git('log', '-1', '--format=%s')).toBe('First');
  });

  test('without a remote, or with a gh that fails, says so', async () => {
    installGh('echo no login >&2; exit 4');
    await make('task-1', { 'b.txt': '1\n' });
    const allowed = { ...host, mayPublish: true };
    expect(await applyPatches(allowed, { ids: ['task-1'], pr: true })).toMatchObject({
      patches: [{ outcome: 'refused', why: '--pr: the repository has no remote to push to' }],
    });
    expect(person.git('branch', '--list', 'fleet-apply/*')).toBe('');
    addRemote();
    expect(await applyPatches(allowed, { ids: ['task-1'], pr: true })).toMatchObject({
      patches: [{ outcome: 'applied' }],
      pullRequest: { opened: false, text: expect.stringContaining('no login') },
    });
  });
});
