import { describe, expect, it, vi } from 'vitest';
import { assertMeant, describeExcessWords } from '../../../src/cli/input/meant-words.ts';
import { buildProgram } from '../../../src/cli/program.ts';

const mission = {
  command: 'mission',
  as: 'a goal',
  effect: 'planning it is paid',
  instead: ['fleet mission ls', 'fleet mission ID'],
};

describe('a single word', () => {
  it.each([
    'ls',
    'LIST',
    ' status ',
    '-h',
    'stop',
    'costs',
    '?',
    '--',
    'lista',
    'Hilfe',
    'arrêter',
    'mission-8f3a2c1d9e4b',
    '8f3a2c1d9e4b',
    'release-7',
    'my_goal_2',
  ])('such as %j is stopped', async (word) => {
    await expect(assertMeant(word, mission)).rejects.toThrow(/would be taken as a goal, and planning it is paid/);
  });

  it('that is a name may have the shape of an id', async () => {
    await expect(assertMeant('instance-11', { ...mission, isName: true })).resolves.toBeUndefined();
    await expect(assertMeant('ls', { ...mission, isName: true })).rejects.toThrow('nothing was done');
  });

  it.each(['translate', 'list the files', 'find out what is said', 'task force', 'mission statement', '🍐'])(
    'unlike %j',
    async (words) => {
      await expect(assertMeant(words, mission)).resolves.toBeUndefined();
    },
  );

  it('that is an id stands in the commands that may be meant', async () => {
    await expect(assertMeant('mission-8f3a2c1d9e4b', mission)).rejects.toThrow('or fleet mission mission-8f3a2c1d9e4b');
  });

  it('that is the name of any command is stopped', async () => {
    const program = buildProgram();
    for (const command of [...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
      for (const word of [command.name(), ...command.aliases()]) {
        await expect(assertMeant(word, mission), word).rejects.toThrow('nothing was done');
      }
    }
  });

  it('names what it means elsewhere', async () => {
    await expect(assertMeant('costs', mission)).rejects.toThrow('You may mean: fleet costs, or fleet mission ls');
    await expect(assertMeant('sessions', mission)).rejects.toThrow('You may mean: fleet sessions, or');
    await expect(assertMeant('stop', mission)).rejects.toThrow('fleet cancel ID');
  });

  it('is meant after `--`', async () => {
    vi.stubGlobal('process', { ...process, argv: ['node', 'fleet', 'mission', '--', 'ls'] });
    await expect(assertMeant('ls', mission)).resolves.toBeUndefined();
    vi.unstubAllGlobals();
  });

  it('among words without quotes names the command that was meant', () => {
    expect(describeExcessWords(['task', 'list', 'failed', '--json'])).toBe(
      'Nothing was done. You may mean: fleet failed. A text of several words goes in quotes: fleet task "list failed"',
    );
    expect(describeExcessWords(['single', 'status'])).toContain('fleet status. ');
    expect(describeExcessWords(['ask', 'what', 'now'])).toMatch(/^Nothing was done\. A text of several words/);
    expect(describeExcessWords(['costs', 'x'])).toBeNull();
  });

  it('that stops something does so where only words of looking are stopped', async () => {
    const halt = { ...mission, onlyLooking: true };
    await expect(assertMeant('stop', halt)).resolves.toBeUndefined();
    await expect(assertMeant('status', halt)).rejects.toThrow('nothing was done');
  });
});
