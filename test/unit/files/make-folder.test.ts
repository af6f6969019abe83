import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { placeFile } from '../../../src/cli/prompts/own-file.ts';
import { writeEmbeddedChoice } from '../../../src/config/source/embedded-choice.ts';
import { writeExportedSecrets } from '../../../src/config/source/exported-secrets.ts';
import { UsageError } from '../../../src/errors.ts';
import { makeFolder, makeFolderSync } from '../../../src/files/make-folder.ts';
import { makeFolder as makeTestFolder } from '../../support/folder.ts';

const setting = '--save';

it('makes all that is missing with the mode, also when two do at once, and does nothing the second time', async () => {
  const path = join(makeTestFolder({}), 'a', 'b', 'c');
  await Promise.all([makeFolder(path, { mode: 0o700 }), makeFolder(path, { mode: 0o700 })]);
  makeFolderSync(path);
  expect([path, join(path, '..')].map((folder) => statSync(folder).mode & 0o777)).toEqual([0o700, 0o700]);
  makeFolderSync(join(path, 'd', 'e'));
  expect(statSync(join(path, 'd', 'e')).isDirectory()).toBe(true);
});

it.each([['plain'], ['plain/x'], ['plain/x/y']])(
  'refuses %s, where a file is in the way, with the cure',
  async (name) => {
    const path = join(makeTestFolder({ plain: '' }), name);
    const said = new RegExp(
      `^--save: the folder ${path} cannot be made: .*/plain is no folder; name one that this user`,
    );
    await expect(makeFolder(path, { setting })).rejects.toThrow(said);
    expect(() => makeFolderSync(path, { setting })).toThrow(said);
    await expect(makeFolder(path)).rejects.toMatchObject({ code: 'EEXIST' }); // without a setting the system's own error
  },
);

describe.runIf(process.platform === 'linux')('below /proc, where the recursive mkdir of Node never returns', () => {
  it.each(['/proc/nope', '/proc/nope/a/b'])('%s is refused at once', async (path) => {
    const said = `--save: the folder ${path} cannot be made: /proc takes no folders`;
    await expect(makeFolder(path, { setting })).rejects.toThrow(said);
    await expect(makeFolder(path, { setting })).rejects.toThrow(UsageError);
    expect(() => makeFolderSync(path, { setting })).toThrow(said);
  });

  it.each([
    ['FLEET_DATA: ', () => writeEmbeddedChoice('/proc/nope', null, { port: 7_000, folder: '/x' })],
    ['PM2_HOME: ', () => writeExportedSecrets('/proc/nope/secrets.json', { KEY: 'x' })],
    ['--install: ', () => placeFile('/proc/nope/a.md', 'text')],
  ])('the message begins with %s', async (name, make) => {
    await expect((async () => make())()).rejects.toThrow(name);
  });
});

it('only one file of the program makes folders in a chain', () => {
  const files = globSync('{src,workers,dashboards}/**/*.ts', { cwd: process.cwd() });
  const own = files.filter((file) => /\bmkdir(Sync)?\([^;]*recursive: true/.test(readFileSync(file, 'utf8')));
  expect(own).toEqual([]);
});
