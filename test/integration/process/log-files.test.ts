import { appendFileSync, createWriteStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownLogFiles, rotate } from '../../../src/process/logs/log-files.ts';
import { makeFolder } from '../../support/folder.ts';

it('puts a large file aside, and its writer writes on at the beginning', async () => {
  const file = join(makeFolder(), 'out.log');
  const writer = createWriteStream(file, { flags: 'a' }); // as pm2 opens it
  const write = (text: string) => new Promise<void>((resolve) => writer.write(text, () => resolve()));
  await write('x'.repeat(2_000));
  expect(await rotate(file, 5_000)).toBe(false);
  await write('y'.repeat(4_000));
  expect(await rotate(file, 5_000)).toBe(true);
  await write('new\n');
  expect(readFileSync(file, 'utf8')).toBe('new\n');
  expect(statSync(`${file}.1`).size).toBe(6_000);

  appendFileSync(file, 'z'.repeat(6_000));
  expect(await rotate(file, 5_000)).toBe(true);
  expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/^new\nz+$/); // the older one is gone
  writer.close();
});

it('does nothing about a file that is not there, and knows the files that pm2 gave', async () => {
  expect(await rotate(join(makeFolder(), 'none.log'), 1)).toBe(false);
  expect(ownLogFiles({})).toEqual([]);
  expect(ownLogFiles({ pm_out_log_path: '/a', pm_err_log_path: '/a' })).toEqual(['/a']);
  expect(ownLogFiles({ pm_out_log_path: '/dev/null', pm_err_log_path: '/b' })).toEqual(['/b']);
});
