import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import { pages, root } from '../../support/docs.ts';

const program = buildProgram();
const lines = pages
  .flatMap(({ shellLines, spans }) => [...shellLines, ...spans])
  .flatMap((line) => line.split('&&'))
  .map((line) => line.trim().replace(/^.*\$\(|\)"$|^npx /g, ''))
  .filter((line) => /^fleet [a-z-]/.test(line));

it('the documents name many commands', () => expect(lines.length).toBeGreaterThan(40));

it.each([...new Set(lines)])('%s', (line) => {
  const [, ...words] = line
    .replaceAll(/"[^"]*"/g, 'TEXT')
    .replace(/ --( .*)?$/, ' TEXT') // what follows is text
    .split(/\s+/);
  let command: Command = program;
  for (const word of words)
    command = command.commands.find((sub) => [sub.name(), ...sub.aliases()].includes(word)) ?? command;
  if (words[0]?.startsWith('-')) return;
  expect(command, 'a known command').not.toBe(program);
  expect(words.filter((word) => word.startsWith('-') && !has(command, word))).toEqual([]);
});

it('the documents name only options that some command has', () => {
  const all = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)];
  const spans = pages.flatMap((page) => page.spans);
  const flags = spans.filter((text) => /^--./.test(text)).map((text) => text.split(' ')[0] ?? '');
  expect(flags.filter((flag) => !all.some((command) => has(command, flag)))).toEqual([]);
});

it('the documents name every command', () => {
  const names = program.commands.map((command) => command.name());
  expect(names.filter((name) => !lines.some((line) => new RegExp(`^fleet ${name}\\b`).test(line)))).toEqual([]);
});

it('the documents name npm scripts that there are', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const texts = pages.map(({ text }) => text).join('\n');
  const names = [...texts.matchAll(/npm (?:run ([a-z]+)|(test))/g)].map(([, script, test]) => script ?? test ?? '');
  expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
});

function has(command: Command, flag: string): boolean {
  return (
    flag === '--help' ||
    flag === '--version' ||
    command.options.some(({ long, short }) => flag === long || flag === short)
  );
}
