import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { waitInTime } from '../../../src/cli/follow/wait-timeout.ts';
import { buildProgram } from '../../../src/cli/program.ts';

it('every command that waits has a longest wait', () => {
  const all = buildProgram().commands.flatMap((command) => [command, ...command.commands]);
  const has = (flag: string) => all.filter(({ options }) => options.some(({ long }) => long === flag));
  expect(has('--wait').map((command) => command.name())).toContain('mission');
  expect(has('--timeout')).toEqual(has('--wait'));
});

it('a wait whose time is over prints no more: its connection is closed', async () => {
  const printed = vi.spyOn(console, 'error').mockReturnValue();
  let isDone = false;
  const waiting = waitInTime({ timeout: 0.05, again: 'fleet x' }, async (say) => {
    say('it waits');
    await sleep(150);
    say('Redis is not reachable; waiting for it');
    isDone = true;
  });
  await expect(waiting).rejects.toThrow('not ended after');
  await vi.waitFor(() => expect(isDone).toBe(true));
  expect(printed.mock.calls).toEqual([['it waits']]);
  printed.mockRestore();
});
