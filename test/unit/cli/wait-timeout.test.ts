import { expect, it } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';

it('every command that waits has a longest wait', () => {
  const all = buildProgram().commands.flatMap((command) => [command, ...command.commands]);
  const has = (flag: string) => all.filter(({ options }) => options.some(({ long }) => long === flag));
  expect(has('--wait').map((command) => command.name())).toContain('mission');
  expect(has('--timeout')).toEqual(has('--wait'));
});
