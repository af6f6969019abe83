import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toTaskId } from '../../../queues/ids.ts';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { readPatch } from '../../../src/patches/record.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createMissionModel, promptOf } from '../../support/models/mission-model.ts';
import type { Step } from '../../support/models/scripted-model.ts';
import { initRepository, runGit } from '../../support/person-git.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const LINES = 'one\ntwo\nthree\nfour\nfive\n';

const read = (file_path: string): Step => ({ tools: [{ name: 'read', input: { file_path } }] });
const edit = (file_path: string, old_string: string, new_string: string): Step => ({
  tools: [{ name: 'edit', input: { file_path, old_string, new_string } }],
});
const write = (file_path: string, content: string): Step => ({
  tools: [{ name: 'write', input: { file_path, content } }],
});

type Script = Step[] | ((request: ModelRequest, turn: number) => Step);
type Plan = Record<string, { after?: string[]; does: Script }>;

/** A mission `m` whose tasks do what is written here. Their numbers are their order. */
async function runMission(files: Record<string, string>, plan: Plan, mission: object = {}, place = { site: '' }) {
  const names = Object.keys(plan);
  const model = createMissionModel(
    names.map((id) => ({ id, description: `Task ${id}.`, depends_on: plan[id]?.after ?? [] })),
    {
      task: (request) => {
        const does = plan[/Task (\w+)\./.exec(promptOf(request))?.[1] ?? '']?.does ?? [];
        const turn = request.messages.filter(({ role }) => role === 'assistant').length;
        return (typeof does === 'function' ? does(request, turn) : does[turn]) ?? 'done';
      },
    },
  );
  const fleet = await useFleet(redis, { config: { shards: [] }, site: files });
  const head = initRepository(fleet.site);
  place.site = fleet.site;
  await fleet.startCoordinator(model);
  await fleet.startHaiku(model);
  await fleet.missions.add({ goal: 'Go.', workspace: 'site', ...mission }, { missionId: 'm' });
  const untilState = (...states: string[]) =>
    waitUntil(
      async () => {
        const record = await readMission(redis.db, 'm');
        return record !== null && states.includes(record.state) ? record : null;
      },
      { what: `the mission ${states.join(' or ')}` },
    );
  const jobOf = (name: string): string => toTaskId('m', names.indexOf(name) + 1);
  const idOf = (name: string): string => toFindingId(jobOf(name));
  const patchOf = async (name: string): Promise<PatchRecord> => {
    const found = await readPatch(redis.db, idOf(name));
    if (found === null) throw new Error(`task ${name} has no patch`);
    return found;
  };
  const said = (name: string): string =>
    JSON.stringify(
      model.calls.filter((call) => promptOf(call).includes(`Task ${name}.`)).map(({ messages }) => messages),
    );
  const show = (at: string, path: string) => runGit(fleet.site, 'show', `${at}:${path}`);
  return { fleet, model, head, untilState, jobOf, idOf, patchOf, said, show };
}

test('a task sees what those before it changed, also if it only reads, and goes on from there', async () => {
  const { fleet, head, untilState, idOf, patchOf, said, show } = await runMission(
    { 'x.txt': LINES, 'p.txt': 'p\n' },
    {
      a: { does: [read('x.txt'), edit('x.txt', 'two', 'TWO'), write('new.txt', 'new\n')] },
      b: { after: ['a'], does: [read('x.txt'), edit('x.txt', 'TWO\nthree', 'TWO\nTHREE')] },
      look: { after: ['b'], does: [read('x.txt'), read('new.txt')] },
    },
  );
  await writeFile(join(fleet.site, 'p.txt'), 'mine\n');
  await untilState('done');
  const [a, b] = [await patchOf('a'), await patchOf('b')];
  expect(b.buildsOn).toEqual([idOf('a')]);
  expect(b.changes).toEqual([{ path: 'x.txt', added: 1, removed: 1, lines: '3-3' }]);
  expect(runGit(fleet.site, 'rev-parse', `${b.base}~1`)).toBe(head);
  expect(show(b.base, 'x.txt')).toBe(show(a.head, 'x.txt'));
  expect(show(b.head, 'x.txt')).toBe('one\nTWO\nTHREE\nfour\nfive');
  expect(said('b')).toContain(`from commit ${head.slice(0, 7)} with the changes of ${idOf('a')}, which are not in it`);
  expect(said('look')).toContain('top level: new.txt, p.txt, x.txt');
  expect(said('look')).toContain('THREE');
  expect((await fleet.findings.get(idOf('look')))?.files_changed).toEqual([]);
  expect(runGit(fleet.site, 'status', '--porcelain')).toBe('M p.txt');
});

test('the two sides of a diamond come together, and all apply in order', async () => {
  const { fleet, head, untilState, idOf, patchOf, show } = await runMission(
    { 'x.txt': LINES },
    {
      a: { does: [read('x.txt'), edit('x.txt', 'one', 'ONE')] },
      b: { after: ['a'], does: [read('x.txt'), edit('x.txt', 'three', 'THREE')] },
      c: { after: ['a'], does: [read('x.txt'), edit('x.txt', 'five', 'FIVE')] },
      d: { after: ['b', 'c'], does: [read('x.txt'), write('y.txt', 'y\n')] },
      e: { after: ['b', 'c'], does: [read('x.txt'), write('z.txt', 'z\n')] },
    },
  );
  await untilState('done');
  const [d, e] = [await patchOf('d'), await patchOf('e')];
  expect(d).toMatchObject({ buildsOn: ['a', 'b', 'c'].map(idOf), base: e.base });
  expect(show(d.head, 'x.txt')).toBe('ONE\ntwo\nTHREE\nfour\nFIVE');
  const { patches } = await fleet.patches.apply({ mission: 'm', threeWay: true });
  expect(patches.map(({ findingId, outcome }) => [findingId, outcome])).toEqual(
    expect.arrayContaining(['a', 'b', 'c', 'd', 'e'].map((name) => [idOf(name), 'applied'])),
  );
  expect(runGit(fleet.site, 'rev-list', '--count', `${head}..HEAD`)).toBe('5');
  expect(await readFile(join(fleet.site, 'x.txt'), 'utf8')).toBe('ONE\ntwo\nTHREE\nfour\nFIVE\n');
  expect(runGit(fleet.site, 'status', '--porcelain')).toBe('');
});

const CONFLICT: Plan = {
  b: { does: [read('x.txt'), edit('x.txt', 'two', 'TWO')] },
  c: { does: [read('x.txt'), edit('x.txt', 'two', 'zwei'), write('c.txt', 'c\n')] },
};

test('a conflict is a task for the worker that meets it, and its patch carries what did not fit', async () => {
  const { fleet, head, untilState, idOf, jobOf, patchOf, said, show } = await runMission(
    { 'x.txt': LINES },
    {
      ...CONFLICT,
      d: { after: ['b', 'c'], does: [read('x.txt'), write('x.txt', LINES.replace('two', 'TWO zwei'))] },
    },
  );
  await untilState('done');
  const d = await patchOf('d');
  expect(d).toMatchObject({ buildsOn: [idOf('b')], carries: [idOf('c')], state: 'pending' });
  expect(d.changes.map(({ path }) => path)).toEqual(['c.txt', 'x.txt']);
  expect(show(d.head, 'x.txt')).toBe('one\nTWO zwei\nthree\nfour\nfive');
  expect(d.message).toContain(`Fleet-Task: ${jobOf('d')}\nFleet-Task: ${jobOf('c')}\n`);
  expect(said('d')).toContain(`- ${idOf('c')} \\"Task c.\\": x.txt`);
  expect(said('d')).toContain(`<<<<<<< before-${idOf('c')}`);
  const { patches } = await fleet.patches.apply({ mission: 'm' });
  expect(patches.map(({ outcome }) => outcome)).toEqual(['applied', 'already', 'applied']);
  expect(runGit(fleet.site, 'log', '--reverse', '--format=%s', `${head}..`)).toBe('Task b.\nTask d.');
  expect(await readFile(join(fleet.site, 'x.txt'), 'utf8')).toBe(LINES.replace('two', 'TWO zwei'));
  expect((await patchOf('c')).applied).toMatchObject({ commit: runGit(fleet.site, 'rev-parse', 'HEAD') });
});

test('a conflict that no worker resolves is left to the person, with patches and files named', async () => {
  const hand = { name: 'hand_back', input: { reason: 'ambiguous requirements', explanation: 'Which one?' } };
  const after = ['b', 'c'];
  const { fleet, untilState, jobOf, idOf, said } = await runMission(
    { 'x.txt': LINES },
    {
      ...CONFLICT,
      leaves: { after, does: [read('x.txt'), write('d.txt', 'd\n')] },
      away: { after, does: ['done'] },
      file: { does: [write('p', 'p\n')] },
      folder: { does: [write('p/q.txt', 'q\n')] },
      hopeless: { after: ['file', 'folder'], does: [] },
      hands: { after, does: [read('x.txt'), { tools: [hand] }] },
    },
    { quorum: 1 },
  );
  const record = await untilState('failed');
  const reasonOf = async (name: string) => (await fleet.inner.queues.tasks.getJob(jobOf(name)))?.failedReason;
  const left = `conflict: the patch ${idOf('c')} on which it builds does not fit beside the others: the task left the markers in x.txt`;
  expect(await reasonOf('leaves')).toContain(left);
  expect(await reasonOf('away')).toContain(left);
  expect(await reasonOf('hands')).toMatch(/^conflict: .*x\.txt is not resolved; the task failed \(handed-back/);
  expect(await reasonOf('hands')).toContain(`fleet diff ${idOf('c')}`);
  expect(record?.problem).toContain('conflict: the patch');
  expect(await readPatch(redis.db, idOf('leaves'))).toBeNull();
  const contradicts = `conflict: the patch ${idOf('folder')} (Task folder.) contradicts HEAD with ${idOf('file')} in a way that no worker can mend: p`;
  expect(await reasonOf('hopeless')).toContain(contradicts);
  expect(said('hopeless')).toBe('[]'); // it paid for no call
});

test('a merge whose objects are gone before the tree is made is made again', async () => {
  const place = { site: '' };
  const { fleet, untilState, patchOf, show } = await runMission(
    { 'x.txt': LINES },
    {
      a: { does: [read('x.txt'), edit('x.txt', 'two', 'TWO')] },
      b: {
        after: ['a'],
        does: (_, turn) => {
          if (turn === 0) runGit(place.site, 'gc', '-q', '--prune=now'); // no branch holds the merge yet
          return [read('x.txt'), edit('x.txt', 'three', 'THREE')][turn] ?? 'done';
        },
      },
    },
    {},
    place,
  );
  await untilState('done');
  const { base, head } = await patchOf('b');
  expect(show(base, 'x.txt')).toBe('one\nTWO\nthree\nfour\nfive');
  expect(show(head, 'x.txt')).toBe('one\nTWO\nTHREE\nfour\nfive');
  expect(runGit(fleet.site, 'fsck', '--no-dangling')).toBe('');
});

test('a mission that is not isolated works in the shared tree, one task after the other', async () => {
  const { fleet, untilState, idOf } = await runMission(
    { 'x.txt': LINES },
    {
      a: { does: [read('x.txt'), edit('x.txt', 'two', 'TWO')] },
      b: { after: ['a'], does: [read('x.txt'), edit('x.txt', 'TWO', 'zwei')] },
    },
    { isolate: false },
  );
  await untilState('done');
  expect(await readFile(join(fleet.site, 'x.txt'), 'utf8')).toContain('zwei');
  expect(await fleet.findings.get(idOf('b'))).not.toHaveProperty('patch');
});
