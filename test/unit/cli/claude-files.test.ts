import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { taskInputSchema } from '../../../queues/tasks.ts';
import { toClaudeFiles } from '../../../src/cli/prompts/claude-files.ts';
import { describeTaskKeys } from '../../../src/cli/prompts/fleet-facts.ts';
import { placeFile, withMark } from '../../../src/cli/prompts/own-file.ts';
import { COORDINATOR_PROMPT, EPHEMERAL_PROMPT, WORKER_PROMPT } from '../../../src/cli/prompts/starter-prompts.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { toolList } from '../../../src/mcp/tool-list.ts';
import { makeFolder } from '../../support/folder.ts';

const facts = { workspaces: ['docs', 'site'], haikuModel: 'haiku-x', sonnetModel: 'sonnet-y', dayBudget: '$7.50' };
const files = toClaudeFiles(facts);
const texts = [COORDINATOR_PROMPT, WORKER_PROMPT, EPHEMERAL_PROMPT, ...files.map(({ text }) => text)];

it('hold what is true of this fleet, and begin with what Claude Code reads', () => {
  for (const { text } of files) expect(text).toMatch(/^---\n(?:[a-z-]+: .+\n)+---\n\n/);
  const [agent, skill, command] = files;
  expect(agent?.text).toContain('\nmodel: haiku\n');
  expect(agent?.text).not.toContain('Bash');
  expect(skill?.text).toContain('`docs`, `site`');
  for (const fact of ['haiku-x', 'sonnet-y', '$7.50']) expect(skill?.text).toContain(fact);
  expect(command?.text).toContain('$ARGUMENTS');
});

it('name each key of a task, as the schema has it', () => {
  const keys = describeTaskKeys();
  expect(keys.match(/(?<=^- `)\w+/gm)).toEqual(Object.keys(taskInputSchema.shape));
  expect(keys).toContain('- `description`: text (required)\n');
  expect(keys).toContain('- `files`: list of text\n');
  expect(keys).toContain('- `max_turns`: whole number 1..200\n');
  expect(keys).toMatch(/- `kind`: "file" \| .*"docs"/);
});

it('name commands and options that there are', () => {
  const { commands } = buildProgram();
  for (const [line, name = ''] of texts.join('\n').matchAll(/\bfleet ([a-z]+)\b[^\n`|]*?(?= {2}|[\n`|]|$)/g)) {
    const command = commands.find((one) => one.name() === name);
    if (command === undefined) continue; // "fleet of cheap workers"
    const own = [command, ...command.commands].flatMap(({ options }) => options.map(({ long }) => long));
    expect([line, (line.match(/--[a-z-]+/g) ?? []).filter((flag) => !own.includes(flag))]).toEqual([line, []]);
  }
  expect(EPHEMERAL_PROMPT.split('\n').length).toBeLessThanOrEqual(30);
});

it('give the agent tools that the server has', () => {
  const named = [...(files[0]?.text ?? '').matchAll(/mcp__fleet__(\w+)/g)].map(([, name]) => name);
  expect(named).toContain('claim');
  const there = toolList.map(({ name }) => name);
  expect(named.filter((name) => !there.includes(name ?? ''))).toEqual([]);
  const listed = /tools of the MCP server "fleet"[^:]*: ([^.]*)\./.exec(COORDINATOR_PROMPT)?.[1]?.split(/,\s+/) ?? [];
  expect(listed).toContain('delegate');
  expect(listed.filter((name) => !there.includes(name))).toEqual([]);
});

it('are never written over what a person made or changed', async () => {
  const folder = makeFolder();
  const path = join(folder, 'a/b.md');
  expect(await placeFile(path, 'one\n', { dryRun: true })).toBe('written');
  expect(await placeFile(path, 'one\n')).toBe('written');
  expect(readFileSync(path, 'utf8')).toBe(withMark('one\n'));
  expect(await placeFile(path, 'one\n')).toBe('same');
  writeFileSync(path, withMark('one\n').replaceAll('\n', '\r\n')); // as git may check it out
  expect(await placeFile(path, 'one\n')).toBe('same');
  expect(await placeFile(path, 'two\n')).toBe('updated');
  expect(readFileSync(path, 'utf8')).toBe(withMark('two\n'));

  for (const changed of [`${withMark('two\n')}more\n`, `my ${withMark('two\n')}`, 'mine\n', '']) {
    writeFileSync(path, changed);
    expect(await placeFile(path, 'three\n')).toBe('left');
    expect(readFileSync(path, 'utf8')).toBe(changed);
  }
  writeFileSync(join(folder, 'target.md'), withMark('two\n'));
  symlinkSync('target.md', join(folder, 'link.md'));
  mkdirSync(join(folder, 'dir.md'));
  for (const name of ['link.md', 'dir.md']) expect(await placeFile(join(folder, name), 'three\n')).toBe('left');
  expect(readFileSync(join(folder, 'target.md'), 'utf8')).toBe(withMark('two\n'));
});
