import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Claim } from '../../../src/outside/types.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis);
const fleet = shell.run;
const SCHEMA = { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] };

const parse = ({ stdout }: { stdout: string }): Claim => JSON.parse(stdout) as Claim;

function file(name: string, text: string): string {
  const path = join(shell.folder, name);
  writeFileSync(path, text);
  return path;
}

test('a script claims, renews, gives back, reports and fails tasks', async () => {
  const schema = file('schema.json', JSON.stringify(SCHEMA));
  const wrong = file('wrong.json', '{"lines":"three"}');
  const added = await fleet('task', 'Count the lines', '--for', 'outside', '--schema', schema, '--task-id', 'count');
  expect(added).toMatchObject({ code: 0 });
  const none = await fleet('claim', '--as', 'a', '--kind', 'git', '--json');
  expect(none).toMatchObject({ code: 0, stdout: 'null\n', stderr: 'no task is offered that fits\n' });

  const first = parse(await fleet('claim', '--as', 'a', '--json'));
  expect(first).toMatchObject({
    task_id: 'count',
    task: { id: 'count', description: 'Count the lines', schema: SCHEMA },
  });
  expect(await fleet('release', 'count', '--lease', first.lease)).toMatchObject({ code: 0 });
  const claimed = parse(await fleet('claim', 'count', '--as', 'b', '--lease', '60', '--json'));
  const { lease } = claimed;
  const refused = await fleet('report', 'count', '--lease', first.lease, '--result', wrong);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Error: task count: b has it until/) as string,
  });
  const renewed = parse(await fleet('renew', 'count', '--lease', lease, '--for', '900', '--json'));
  expect(Date.parse(renewed.expires_at)).toBeGreaterThan(Date.parse(claimed.expires_at));
  const broken = await fleet('report', 'count', '--lease', lease, '--result', wrong);
  expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('lines') as string });

  const report = ['report', 'count', '--lease', lease, '--result', '-', '--tokens', '1200,300', '--cost', '0.02'];
  const reported = await shell.start([...report, '--json'], { input: '{"lines": 3}\n' }).done;
  expect(parse(reported)).toMatchObject({ recorded: 'recorded', task_id: 'count' });
  expect((await shell.start(report, { input: '{"lines":3}' }).done).stdout).toMatch(
    /^Recorded already: fleet findings/,
  );
  const shown = await fleet('findings', claimed.task.finding_id);
  expect(shown.stdout).toContain('unmetered');
  expect(shown.stdout).not.toContain('$0.00');

  const inner = await useFleet(redis);
  await inner.tasks.add({ description: 'Impossible', for: 'any' }, { taskId: 'never' });
  const second = parse(await fleet('claim', '--as', 'b', '--json'));
  const failed = await fleet('fail', 'never', '--lease', second.lease, '--why', 'there is no such file');
  expect(failed).toMatchObject({ code: 0 });
  expect((await inner.bullJob('never')).failedReason).toBe('outside: there is no such file');
});

const BAD: [string[], RegExp][] = [
  [['claim'], /required option '--as <name>'/],
  [['claim', '--as', 'a b'], /as: expected letters/],
  [['claim', '--as', 'a', '--lease', '0'], /Expected seconds, 1\.\.86400/],
  [['report', 'x', '--lease', 'l', '--result', '/nowhere'], /--result: cannot read/],
  [['report', 'x', '--lease', 'l', '--result', '-', '--tokens', 'many'], /Expected two whole numbers/],
  [['fail', 'x', '--lease', 'l'], /required option '--why <text>'/],
  [['task', 'Count', '--for', 'me'], /Allowed choices are fleet, outside, any/],
  [['worker', '--exec', 'true', '--env', 'NOT_SET'], /--env NOT_SET: it is not set/],
];

test('wrong use is refused with the rule', async () => {
  const results = await Promise.all(BAD.map(([args]) => fleet(...args)));
  for (const [i, [args, rule]] of BAD.entries()) {
    expect(results[i]?.stderr, args.join(' ')).toMatch(rule);
    expect(results[i]?.code, args.join(' ')).toBe(2);
  }
  const unknown = await fleet('renew', 'nothing', '--lease', 'l');
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('no such job') as string });
});

test('a halted fleet hands out nothing, and says so', async () => {
  const inner = await useFleet(redis);
  await inner.tasks.add({ description: 'Count', for: 'outside' });
  await inner.halt.halt({ reason: 'person', step: '', by: 'me', detail: 'prices' });
  const claimed = await fleet('claim', '--as', 'a', '--json');
  expect(claimed).toMatchObject({ code: 0, stdout: 'null\n', stderr: expect.stringContaining('halted') as string });
});

test('fleet worker runs a program for each task, and the status shows who holds what', async () => {
  const inner = await useFleet(redis);
  for (const n of [1, 2, 3]) await inner.tasks.add({ description: `Count ${n}`, for: 'outside' });
  await fleet('claim', '--as', 'agent-9');
  const status = await fleet('status');
  expect(status.stdout).toMatch(/Outside workers: +2 tasks offered, 1 held: agent-9 task-\w+ until \d\d:\d\d:\d\d UTC/);
  const worked = await fleet('worker', '--exec', `grep '"description"'`, '--as', 'p', '--slots', '2', '--drain');
  expect(worked).toMatchObject({ code: 0, stdout: expect.stringContaining('p has taken 2 tasks') as string });
  expect((await inner.findings.list()).map(({ worker_id: by }) => by)).toEqual(['p', 'p']);
});
