import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { AUDIT_VERBS } from '../../../src/audit/types.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { toolList } from '../../../src/mcp/tool-list.ts';
import { ADDRESSES, COMMANDS, FUNCTIONS, TOOLS } from '../../support/audit/ways.ts';

function wordsOf(command: Command, before: string[] = []): string[] {
  return command.commands.flatMap((sub) => {
    const words = [...before, sub.name()];
    return [words.join(' '), ...wordsOf(sub, words)];
  });
}

it('every command says what of it is in the audit, or why nothing is', () => {
  expect(wordsOf(buildProgram()).toSorted()).toEqual(Object.keys(COMMANDS).toSorted());
});

it('every tool of MCP says so', () => {
  expect(toolList.map(({ name }) => name).toSorted()).toEqual(Object.keys(TOOLS).toSorted());
  const changing = toolList.filter(({ hints }) => !hints.readOnlyHint).map(({ name }) => name);
  expect(
    Object.keys(TOOLS)
      .filter((name) => TOOLS[name] !== 'reads')
      .toSorted(),
  ).toEqual(changing.toSorted());
});

it('every verb has a way to it', () => {
  const inBoard = ['edit', 'queue-pause', 'queue-resume', 'promote', 'delay', 'priority'];
  const ways = [COMMANDS, FUNCTIONS, TOOLS, ADDRESSES].flatMap((each) => Object.values(each));
  const named = new Set([...ways.filter((way) => Array.isArray(way)).flat(), ...inBoard]);
  expect(AUDIT_VERBS.filter((verb) => !named.has(verb))).toEqual([]);
});
