import { beforeEach, expect, test } from 'vitest';
import { applyPatches } from '../../../src/patches/apply/apply-patches.ts';
import { discardPatches } from '../../../src/patches/apply/discard-patches.ts';
import type { PatchReport } from '../../../src/patches/apply/types.ts';
import { undoPatches } from '../../../src/patches/apply/undo-patches.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import { readPatch } from '../../../src/patches/record.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import {
  makePatch,
  makePersonRepository,
  openHost,
  type PersonRepository,
} from '../../support/patches/person-repository.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
let person: PersonRepository;
let host: PatchHost;
let first: string;

beforeEach(async () => {
  person = makePersonRepository({ 'a.txt': 'one\n', 'z.txt': 'z\n' });
  host = await openHost(redis, person);
  first = person.git('rev-parse', 'HEAD');
});

const make = (task: string, files: Record<string, string>, more: Partial<PatchRecord> = {}) =>
  makePatch(host.db, person, task, { missionId: 'm', work: (tree) => tree.write(files), ...more });

/** `b` and `c` conflict; `d` builds on `b` and carries `c`; `e` builds on `c` alone. */
async function makeMission() {
  await redis.redis.hset(redis.keys.mission('m'), 'goal', 'Go');
  const e = { buildsOn: [(await make('c', { 'a.txt': 'zwei\n', 'c.txt': 'c\n' })).findingId] };
  const b = await make('b', { 'a.txt': 'two\n' });
  await make('e', { 'e.txt': 'e\n' }, e);
  const d = { base: b.head, buildsOn: [b.findingId], carries: e.buildsOn };
  return await make('d', { 'a.txt': 'two zwei\n', 'c.txt': 'c\n' }, d);
}

const outcomes = ({ patches }: PatchReport) =>
  Object.fromEntries(patches.map(({ taskId, outcome }) => [taskId, outcome]));
const stateOf = async (record: { findingId: string } | string) =>
  (await readPatch(host.db, typeof record === 'string' ? record : record.findingId))?.state;
const carriedBy = (d: PatchRecord): string => d.carries?.[0] ?? '';

test('a carried patch is applied with the one that carries it, before what builds on it', async () => {
  const d = await makeMission();
  const trial = await applyPatches(host, { mission: 'm', dryRun: true });
  expect(outcomes(trial)).toEqual({ b: 'fits', c: 'already', d: 'fits', e: 'fits' });
  const report = await applyPatches(host, { mission: 'm' });
  expect(outcomes(report)).toEqual({ b: 'applied', c: 'already', d: 'applied', e: 'applied' });
  expect(person.git('log', '--reverse', '--format=%s', `${first}..`)).toBe('Do b\nDo d\nDo e');
  expect(person.read('a.txt')).toBe('two zwei\n');
  const commit = person.git('rev-parse', 'HEAD~1');
  expect(report.patches.find(({ taskId }) => taskId === 'c')).toMatchObject({ commit });
  expect(await readPatch(host.db, carriedBy(d))).toMatchObject({ state: 'applied', applied: { commit } });
  expect(outcomes(await undoPatches(host, ['c']))).toEqual({ c: 'refused' });
  expect(outcomes(await undoPatches(host, ['d']))).toEqual({ d: 'undone' });
  expect(person.read('a.txt')).toBe('two\n');
  expect([await stateOf(d), await stateOf(carriedBy(d))]).toEqual(['discarded', 'pending']);
});

test('where the carrier is left out, so are what it carries and what builds on that', async () => {
  const d = await makeMission();
  person.write({ 'c.txt': 'mine\n' });
  const report = await applyPatches(host, { mission: 'm' });
  expect(outcomes(report)).toEqual({ b: 'applied', c: 'conflict', d: 'dirty', e: 'conflict' });
  expect([await stateOf(d), await stateOf(carriedBy(d))]).toEqual(['pending', 'pending']);
  expect(person.read('c.txt')).toBe('mine\n');
});

test('a carrier that is named alone stands for both, and one that is carried itself for all', async () => {
  const d = await makeMission();
  await applyPatches(host, { ids: ['b'] });
  await make('f', { 'a.txt': 'all\n', 'c.txt': 'c\n' }, { base: d.base, buildsOn: d.buildsOn, carries: [d.findingId] });
  expect(outcomes(await applyPatches(host, { ids: ['f'] }))).toEqual({ f: 'applied' });
  expect([await stateOf(d), await stateOf(carriedBy(d))]).toEqual(['applied', 'applied']);
  expect(outcomes(await undoPatches(host, ['f']))).toEqual({ f: 'undone' });
  expect([await stateOf(d), await stateOf(carriedBy(d))]).toEqual(['pending', 'pending']);
});

test('of a carrier whose other half was discarded or applied by itself that is said before anything changes', async () => {
  const d = await makeMission();
  const { notes } = await discardPatches(host, { ids: ['c'] });
  expect(notes).toContain(`${d.findingId} carries its changes, and still holds them`);
  const seen: [string, string][] = [];
  const watch = { onWarning: (text: string) => void seen.push([text, person.git('rev-parse', 'HEAD')]) };
  const report = await applyPatches(host, { ids: ['b', 'd'], ...watch });
  expect(outcomes(report)).toEqual({ b: 'applied', d: 'applied' });
  expect(seen).toEqual([[`${d.findingId} still holds the changes of ${carriedBy(d)}, which is discarded`, first]]);
  expect(await stateOf(carriedBy(d))).toBe('discarded');
});

test('a carrier is planned beside what a person applied without it', async () => {
  const d = await makeMission();
  expect(outcomes(await applyPatches(host, { ids: ['c'] }))).toEqual({ c: 'applied' }); // named, so it is meant
  const report = await applyPatches(host, { mission: 'm', threeWay: true });
  expect(outcomes(report)).toEqual({ b: 'conflict', d: 'conflict', e: 'applied' });
  expect(report.notes).toContain(
    `${d.findingId} also holds the changes of ${carriedBy(d)}, which is applied by itself`,
  );
  expect(person.read('a.txt')).toBe('zwei\n');
});
