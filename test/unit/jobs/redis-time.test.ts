import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { TIME_AT } from '../../../src/jobs/redis-time.ts';

/** Scripts of what the fleet does not use: schedulers, the relay, counts by a cut-off that the caller names. */
const NOT_USED = /^(addJobScheduler|updateJobScheduler|getCounts|relay)/;
const commands = join(dirname(createRequire(import.meta.url).resolve('bullmq')), '../esm/commands');

/** Place of the time among all arguments of a script, by the comment at its beginning. */
function findTime(file: string): [name: string, at: number][] {
  const [, name = '', keys = ''] = /^(\w+)-(\d+)\.lua$/.exec(file) ?? [];
  const argument = /ARGV\[(\d+)\]\s+timestamp/.exec(readFileSync(join(commands, file), 'utf8'))?.[1];
  return argument === undefined || NOT_USED.test(name) ? [] : [[name, Number(keys) + Number(argument) - 1]];
}

it('knows where each script of BullMQ takes the time', () => {
  const files = readdirSync(commands).filter((file) => file.endsWith('.lua'));
  expect(files.length).toBeGreaterThan(20);
  expect(TIME_AT).toEqual(Object.fromEntries(files.flatMap(findTime)));
});
