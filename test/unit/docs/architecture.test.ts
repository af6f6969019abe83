import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, it } from 'vitest';
import * as errors from '../../../src/errors.ts';
import { toFailureReason } from '../../../src/jobs/outcomes/failure.ts';
import { OUTCOMES } from '../../../src/jobs/outcomes/outcomes.ts';
import { bare, root, sorted, table } from '../../support/docs.ts';

const MOST_FILES = 14;

const rows = table('ARCHITECTURE.md', 'The rooms').map(([room, , inner = '']) => ({
  room: bare(room),
  inner: bare(inner).split(', ').filter(Boolean),
}));
const rooms = rows.map(({ room }) => room);
const files = globSync('{queues,src,workers,dashboards,examples,bench}/**/*.ts', { cwd: root });

/** The room of a file, or of the folder it is in; a loose file of `src` has none. */
function roomOf(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'src' ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

const isLoose = (path: string): boolean => dirname(path) === 'src';

it('the rooms are all listed, each once', () => {
  const known = new Set(files.filter((file) => !isLoose(file)).map(roomOf));
  expect(sorted(rooms)).toEqual(sorted([...known]));
});

it('the inner rooms are all listed', () => {
  const known = (room: string): string[] => {
    const depth = room.split('/').length;
    const inside = files.filter((file) => file.startsWith(`${room}/`)).map((file) => file.split('/'));
    return [...new Set(inside.filter((parts) => parts.length > depth + 1).map((parts) => parts[depth] ?? ''))];
  };
  expect(rows.map(({ room, inner }) => `${room}: ${sorted(inner).join(', ')}`)).toEqual(
    rooms.map((room) => `${room}: ${sorted(known(room)).join(', ')}`),
  );
});

it('a room imports only rooms above it', () => {
  const upward = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target = '']) =>
      normalize(join(dirname(file), target)),
    );
    return targets
      .map((target) => `${roomOf(file)} ${roomOf(target)}`)
      .filter((pair) => {
        const [from = '', to = ''] = pair.split(' ').map((room) => rooms.indexOf(room));
        return Number(from) >= 0 && Number(to) > Number(from);
      })
      .map((pair) => `${file}: ${pair.split(' ')[1]}`);
  });
  expect(upward).toEqual([]);
});

it('no folder of src but those of the commands is crowded', () => {
  const counts = new Map<string, number>();
  for (const folder of files.map((file) => dirname(file))) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  const crowded = [...counts].filter(([, count]) => count > MOST_FILES).map(([folder]) => folder);
  const counted = crowded.filter((folder) => folder.startsWith('src/') && !folder.startsWith('src/cli/commands'));
  expect(counted).toEqual([]);
});

it('the outcome table shows the outcomes, in their order', () => {
  const shown = table('ARCHITECTURE.md', 'Outcomes').map((row) => row.map(bare));
  const expected = OUTCOMES.map(({ thrown, which, job, halts, counter }) => {
    const failed = job === 'failed';
    const ofTask = thrown === errors.TaskFailedError; // its reasons are in docs/failures.md
    const reason = ofTask ? '<reason>' : toFailureReason(Object.create((thrown ?? TypeError).prototype as object));
    return [
      [thrown?.name ?? 'anything else', which].filter(Boolean).join(' '),
      failed ? `failed: ${ofTask ? 'its reason' : reason}` : job,
      halts === null ? '' : `halts: ${halts}`,
      failed ? `failed_${reason.replaceAll('-', '_')}` : (counter ?? ''),
      failed ? 'yes' : 'no',
    ];
  });
  expect(shown).toEqual(expected);
});

it('the outcome table names every error that is not a bug of the fleet', () => {
  const named = new Set(table('ARCHITECTURE.md', 'Outcomes').map(([thrown = '']) => /`(\w+)`/.exec(thrown)?.[1] ?? ''));
  const classes = Object.values(errors).filter(
    (value): value is typeof errors.FleetError =>
      typeof value === 'function' && (value as { prototype: unknown }).prototype instanceof errors.FleetError,
  );
  const isNamed = (error: typeof errors.FleetError): boolean =>
    named.has(error.name) || named.has((Object.getPrototypeOf(error) as { name: string }).name);
  // These are no outcomes of a job: they belong to callers, to the start of a process, or to Redis.
  const others = classes.filter((error) => !isNamed(error));
  expect(others.map(({ name }) => name).toSorted()).toEqual([
    'ConfigError',
    'JobFailedError',
    'LeaseLostError',
    'NotFoundError',
    'RedisAwayError',
    'RedisUnusableError',
    'ResultMismatchError',
    'SwarmRefusedError',
    'UsageError',
    'WaitTimeoutError',
  ]);
  const reasons = others.map((error) => toFailureReason(Object.create(error.prototype as object)));
  expect(new Set(reasons)).toEqual(new Set(['error']));
});
