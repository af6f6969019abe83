import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { renderBashCompletion } from '../../../src/cli/completion/bash.ts';
import { readCommandTree } from '../../../src/cli/completion/command-tree.ts';
import { renderFishCompletion } from '../../../src/cli/completion/fish.ts';
import { renderZshCompletion } from '../../../src/cli/completion/zsh.ts';
import { buildProgram } from '../../../src/cli/program.ts';

const nodes = readCommandTree(buildProgram());
const bash = renderBashCompletion(nodes);

/** What Tab offers in a real bash after these words. */
function complete(...words: string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `${bash}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _fleet; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

it('completes commands, those below them, options and choices', () => {
  expect(complete('fleet', 'fi')).toEqual(['findings']);
  expect(complete('fleet', 'mon')).toEqual(['monitor']);
  expect(complete('fleet', '').length).toBeGreaterThan(40);
  expect(complete('fleet', 'token', '')).toEqual(['add', 'ls', 'rm']);
  expect(complete('fleet', 'when', 'sh')).toEqual(['show']);
  expect(complete('fleet', 'mission', '')).toEqual(['ls', 'run']);
  expect(complete('fleet', 'task', '--wo')).toEqual(['--workspace']);
  expect(complete('fleet', 'task', 'Do it.', '--effort', '')).toEqual(expect.arrayContaining(['low', 'high']));
  expect(complete('fleet', 'shards', '--t')).toEqual(complete('fleet', 'limits', '--t'));
  expect(complete('fleet', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  expect(complete('fleet', 'jobs', '--state', 'fa')).toEqual(['failed']);
});

it('takes the value of an option for no command', () => {
  expect(complete('fleet', 'status', '--batch', 'task', '--co')).toEqual(['--compact']);
  expect(complete('fleet', 'status', '--batch', '')).toEqual([]);
});

it('offers files where a file is wanted', () => {
  expect(complete('fleet', 'task', '--file', 'packa')).toContain('package.json');
  expect(complete('fleet', 'context', 'load', 'notes', 'READ')).toContain('README.md');
});

it('names every command and option in each shell', () => {
  for (const script of [bash, renderZshCompletion(nodes), renderFishCompletion(nodes)]) {
    for (const { place, options } of nodes) {
      expect(script).toContain(place);
      for (const { flags } of options) for (const flag of flags) expect(script).toContain(flag.replace(/^-+/, ''));
    }
  }
});

it.each([
  ['bash', bash],
  ['zsh', renderZshCompletion(nodes)],
  ['fish', renderFishCompletion(nodes)],
])('is right for %s, where there is one', (shell, script) => {
  const { error, status, stderr } = spawnSync(shell, ['-n', '-c', script], { encoding: 'utf8' });
  if (error !== undefined) return; // this machine has no such shell
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

it.each(['fish'])('completes in a real %s, where there is one', (shell) => {
  const lines = ['fleet mon', 'fleet token ', 'fleet task --effort lo', 'fleet status --batch task --co'];
  const script = [renderFishCompletion(nodes), ...lines.map((line) => `complete -C '${line}'`)].join('\n');
  const { error, stdout } = spawnSync(shell, ['--no-config', '-c', script], { encoding: 'utf8' });
  if (error !== undefined) return; // this machine has no fish
  expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
    'monitor',
    'add',
    'ls',
    'rm',
    'low',
    '--compact',
    '',
  ]);
});
