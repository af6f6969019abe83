import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { EMPTY_NOTICE, LAST_TURN_NOTICE, THREE_TURNS_NOTICE } from '../../../src/haiku/loop/prompt.ts';
import type { MessagesRequest } from '../../../simulator/model/types.ts';
import { askRuleModel } from '../../support/models/ask-rule-model.ts';

const TASK = '<task kind="docs" workspace="site">\nDescribe a.ts [[turns:9]]\n</task>';
const tools: Anthropic.Tool[] = ['read', 'grep'].map((name) => ({ name, input_schema: { type: 'object' } }));

/** A task after one read, with thinking, and what the worker says then. */
function afterRead(first: string, notice: string, rest: Partial<MessagesRequest> = {}): MessagesRequest {
  const said: Anthropic.ContentBlockParam[] = [
    { type: 'thinking', thinking: '', signature: 'sim-77-0123' },
    { type: 'tool_use', id: 'x', name: 'read', input: { file_path: 'a.ts' } },
  ];
  const told: Anthropic.ContentBlockParam[] = notice === '' ? [] : [{ type: 'text', text: notice }];
  return {
    model: 'claude-haiku-5-5',
    max_tokens: 4_000,
    tools,
    messages: [
      { role: 'user', content: [{ type: 'text', text: first }] },
      { role: 'assistant', content: said },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'x', content: 'export const A = 1;\n' }, ...told],
      },
    ],
    ...rest,
  };
}

const typesOf = (request: MessagesRequest): string[] => askRuleModel(request).content.map(({ type }) => type);
const saidTo = (request: MessagesRequest) => askRuleModel(request).content.find((block) => block.type === 'text')?.text;

describe('the simulated model in a worker’s conversation', () => {
  it('plays the script in a task’s data, one call a turn', () => {
    const calls = ['read', 'grep'].map((name) => ({ name, input: { file_path: 'a.ts' } }));
    const task = `${TASK}\n<data>\n${JSON.stringify({ script: calls })}\n</data>`.replace(' [[turns:9]]', '');
    const uses = askRuleModel(afterRead(task, '')).content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, input: block.input }] : [],
    );
    expect(uses).toEqual(calls.slice(1));
    const short = task.replace(JSON.stringify(calls), JSON.stringify(calls.slice(0, 1)));
    expect(saidTo(afterRead(short, ''))).toContain('Played 1 of 1 calls.');
  });

  it.each([
    ['no notice', ''],
    ['three turns left', THREE_TURNS_NOTICE],
    ['an empty reply', EMPTY_NOTICE],
  ])('goes on with its calls after %s', (_, notice) => {
    expect(typesOf(afterRead(TASK, notice))).toEqual(['text', 'tool_use']);
  });

  it('answers with what it has where it may call no tool', () => {
    const request = afterRead(TASK, LAST_TURN_NOTICE, { tool_choice: { type: 'none' } });
    expect(typesOf(request)).toEqual(['text']);
    expect(saidTo(request)).toContain('exports `A`');
  });

  it.each([
    ['before the task', `<environment>\n2026-11-26\nb.ts\n3 turns\n</environment>\n${TASK}`],
    ['after the task', `${TASK}\n<environment>\nb.ts: 12 bytes\nREADME.md\n</environment>`],
  ])('does the task alone where notes on the environment stand %s', (_, first) => {
    const request = afterRead(first.replace('[[turns:9]]', ''), '');
    expect(saidTo(request)).toContain('a.ts');
    expect(saidTo(request)).not.toMatch(/b\.ts|README/);
  });

  it.each(['low', 'max'] as const)('does the same at effort %s', (effort) => {
    expect(askRuleModel(afterRead(TASK, '', { output_config: { effort } }))).toEqual(askRuleModel(afterRead(TASK, '')));
  });
});
