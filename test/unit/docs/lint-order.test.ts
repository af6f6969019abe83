import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, it } from 'vitest';
import { bare, root, table } from '../../support/docs.ts';

type Pattern = { regex?: string; group?: string[] };
interface Override {
  files: string[];
  rules: { 'no-restricted-imports'?: [string, { patterns: Pattern[] }] };
}

const { overrides } = JSON.parse(readFileSync(join(root, '.oxlintrc.json'), 'utf8')) as { overrides: Override[] };
const restricted = overrides.filter((override) => override.rules['no-restricted-imports'] !== undefined);
const rooms = table('ARCHITECTURE.md', 'The rooms').map(([room]) => bare(room ?? ''));
/** `src/jobs` is `jobs` in the paths of imports. */
const toName = (room: string): string => room.split('/').at(-1) ?? '';

/** Names in the expression that lint forbids in the files of an override: `/(?:a|b)/`. */
function forbiddenIn(files: string): string[] {
  const override = restricted.find((each) => each.files.join() === files);
  const [pattern] = override?.rules['no-restricted-imports']?.[1].patterns ?? [];
  const regex = pattern?.regex ?? '';
  expect(regex, files).toMatch(/^\/\(\?:[a-z0-9|-]+\)\/$/);
  return regex.slice('/(?:'.length, -')/'.length).split('|');
}

it('lint has one override a room, in the order of the list', () => {
  const whole = restricted.map(({ files }) => files.join()).filter((files) => files.endsWith('/**/*.ts'));
  expect(whole).toEqual(rooms.map((room) => `${room}/**/*.ts`));
});

it.each(rooms.slice(1))('lint forbids %s to import the rooms below it', (room) => {
  const below = rooms.slice(rooms.indexOf(room) + 1).map(toName);
  expect(forbiddenIn(`${room}/**/*.ts`)).toEqual([...below, ...(room === 'bench' ? [] : ['simulator']), 'test']);
});

it('lint lets the loose files of src import what the list says of them', () => {
  expect(forbiddenIn('src/errors.ts')).toEqual([...rooms.slice(1).map(toName), 'simulator', 'test']);
  const belowApi = rooms.slice(rooms.indexOf('src/api') + 1).map(toName);
  expect(forbiddenIn('src/index.ts')).toEqual([...belowApi, 'simulator', 'test']);
});

it('lint lets src/models/create alone import the simulator', () => {
  const below = rooms.slice(rooms.indexOf('src/models') + 1).map(toName);
  expect(forbiddenIn('src/models/create/*.ts')).toEqual([...below, 'test']);
});

it('src loads the simulator only when it is asked to', () => {
  const importing = globSync('src/**/*.ts', { cwd: root }).filter((file) =>
    /from '[^']*\/simulator\//.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(importing).toEqual([]);
});
