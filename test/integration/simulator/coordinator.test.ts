import Anthropic from '@anthropic-ai/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toCompactionCall } from '../../../src/coordinator/compact/summary.ts';
import { toOutlineCall } from '../../../src/coordinator/paper/outline-call.ts';
import { toSectionCall } from '../../../src/coordinator/paper/section-call.ts';
import { toPlanCall } from '../../../src/coordinator/plan/prompt.ts';
import type { StructuredCall } from '../../../src/coordinator/calls/types.ts';
import { toSynthesisCall } from '../../../src/coordinator/calls/synthesis.ts';
import { createToolset } from '../../../src/haiku/toolset.ts';
import { startAnthropicSimulator, type AnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { toTestModels } from '../../support/models/plan-models.ts';

const MODEL = 'claude-sonnet-5-5';
const LIMITS = { maxTasks: 5_000, maxSonnet: 10, models: toTestModels() };
const FILES = ['README.md', 'src/tea.ts', 'src/coffee.ts', 'src/deep/cup.ts', 'docs/guide.md'].map((path, i) => ({
  path,
  bytes: 100 * (i + 1),
}));

let simulator: AnthropicSimulator;
let workspace: ToolWorkspace;

beforeEach(async () => {
  simulator = await startAnthropicSimulator({ latencyMs: 0 });
  workspace = await createToolWorkspace({
    askArchive: (question) =>
      Promise.resolve({ kind: 'answer', text: `${question} Yes [finding_aa11].`, citations: ['finding_aa11'] }),
  });
});

afterEach(async () => {
  await simulator.close();
});

describe('the simulated Sonnet, asked as the coordinator asks', () => {
  const planCall = (goal: string, maxTasks = LIMITS.maxTasks) =>
    toPlanCall({
      catalog: createCatalog([]),
      model: MODEL,
      goal,
      workspace: 'site',
      files: FILES,
      archive: null,
      limits: { ...LIMITS, maxTasks },
    });

  it('plans ten tasks or more, none of them for Sonnet', async () => {
    const plan = await ask(planCall('Review the tea'));
    const count = plan.tasks.reduce((sum, task) => sum + (task.for_each?.length ?? 1), 0);
    expect(count).toBeGreaterThanOrEqual(10);
    expect(plan.tasks.every(({ model }) => model === 'haiku')).toBe(true);
  });

  it('plans two thousand tasks where the goal says so', async () => {
    const plan = await ask(planCall('Many [[tasks:2000]] [[fail:3]]'));
    expect(plan.tasks.map((task) => task.for_each?.length)).toEqual([3, 1_997]);
  });

  it.each(['[[cycle]]', '[[no-tasks]]', '[[too-many]]', '[[bad-plan]]', '[[sonnet:30]]', '[[bad-plan-once]]'])(
    'plans what the check sends back: %s',
    async (marker) => {
      await expect(ask(planCall(`Try ${marker}`, 100))).rejects.toThrow();
    },
  );

  it('answers the goal with citations that pass, and names what failed', async () => {
    const { answer, citations } = await ask(
      toSynthesisCall({
        catalog: createCatalog([]),
        model: MODEL,
        goal: 'Where is the coffee?',
        results: [
          {
            findingId: 'finding_aa11',
            kind: 'docs',
            task: 'Summarise a.ts: what is it?',
            result: 'a.ts: TypeScript, 3 lines.',
          },
          {
            findingId: 'finding_bb22',
            kind: 'analysis',
            task: 'Count it',
            result: { summary: 'The coffee is cold.', lines: 3 },
          },
        ],
        failed: ['todos: refusal'],
      }),
    );
    expect(answer).toContain('The coffee is cold [finding_bb22]. a.ts: TypeScript, 3 lines [finding_aa11].');
    expect(answer).toContain('One task failed: todos: refusal.');
    expect(citations).toEqual(['finding_bb22', 'finding_aa11']);
  });

  it('outlines a paper and writes its sections', async () => {
    const findings = ['finding_aa11', 'finding_bb22', 'finding_cc33'].map((id, i) => ({
      id,
      kind: 'docs',
      text: `Look at store ${i}.\nThe store holds ${i} crates of tea. It is cold! See a.ts: “Brews. Slowly.” ${'More words. '.repeat(40)}`,
    }));
    const goal = 'What we know about tea';
    const outline = await ask(toOutlineCall({ name: 'outline', model: MODEL, goal, findings }));
    expect(outline.sections).toHaveLength(3);
    const [section] = outline.sections;
    if (section === undefined) throw new Error('no section');
    const parts = { name: 'section-1', model: MODEL, goal, outline, section, answer: '' };
    const written = await ask(toSectionCall({ ...parts, findings }));
    expect(written.citations.toSorted()).toEqual(findings.map(({ id }) => id));
    expect(written.text).toContain('The store holds 0 crates of tea');
    expect(await ask(toSectionCall({ ...parts, findings: [] }))).toEqual({ text: 'NOT IN ARCHIVE', citations: [] });
  });

  it('condenses findings and leaves none out', async () => {
    const piece = Array.from({ length: 50 }, (_, i) => ({
      finding_id: `finding_${i}`,
      at: '2026-11-01T00:00:00.000Z',
      task: `Measure ${i}`,
      result: { summary: `It is ${i}. ${'And so on. '.repeat(100)}` },
      citations: [],
      files_changed: [],
      topics: [],
    }));
    const summary = await ask(toCompactionCall('claude-haiku-5-5', piece));
    expect(summary).toContain('It is 49; And so on');
  });

  it('needs no citation where nothing was found', async () => {
    const nothing = await ask(
      toSynthesisCall({ catalog: createCatalog([]), model: MODEL, goal: 'x', results: [], failed: ['a: b'] }),
    );
    expect(nothing.citations).toEqual([]);
  });
});

describe('a task of a mission', () => {
  it('asks the archive and reports the answer with its source', async () => {
    const { text, calls } = await work('Ask the archive: what is known about tea?');
    expect(calls).toEqual(['ask_archive']);
    expect(text).toContain('what is known about tea? Yes [finding_aa11].');
  });

  it('looks through the findings itself where there is no archive', async () => {
    const { text, calls } = await work('Ask the archive: what is known about tea?', { archive: false });
    expect(calls).toEqual(['findings']);
    expect(text).toContain('No finding says anything about “tea”.');
  });

  it('looks through the findings itself where the archive gives no answer', async () => {
    workspace.context.askArchive = () => Promise.resolve({ kind: 'later' });
    const { text, calls } = await work('Ask the archive: what is known about tea?');
    expect(calls).toEqual(['ask_archive', 'findings']);
    expect(text).toContain('The archive gave no answer');
  });

  it('reads the findings it builds on, and takes none of their words for its own task', async () => {
    workspace.context.findings.get = (id) => Promise.resolve({ finding_id: id, summary: `All about ${id}` });
    const lines = ['finding_aa11: Count the lines', 'finding_bb22: append "x" to a.md'].map((line) => `- ${line}`);
    const { text, calls } = await work(
      `What do earlier findings say about tea?\n\nIt builds on these findings; read them with the findings tool and cite them:\n${lines.join('\n')}`,
    );
    expect(calls).toEqual(['findings']);
    expect(text).toContain('- All about finding_aa11 [finding_aa11]\n- All about finding_bb22 [finding_bb22]');
  });

  it('lists every file of the workspace', async () => {
    for (const { path } of FILES) await workspace.put(path, 'x');
    const schema = {
      type: 'object',
      properties: {
        files: {
          type: 'array',
          items: {
            type: 'object',
            properties: { path: { type: 'string' }, bytes: { type: 'integer' } },
            required: ['path'],
          },
        },
      },
      required: ['files'],
    };
    const { text } = await work('List every file of the workspace with the glob tool.', { schema });
    const { files } = JSON.parse(text) as { files: { path: string }[] };
    expect(files.map(({ path }) => path).toSorted()).toEqual(FILES.map(({ path }) => path).toSorted());
  });

  it('lists and describes files with odd names', async () => {
    await workspace.put('[q] & so on.md', '# Odd\n');
    await workspace.put('a b/x y.md', '# Blank\n');
    const listed = await work('List every file of the workspace.');
    expect(listed.text).toContain('- [q] & so on.md\n- a b/x y.md');
    const { text } = await work('Summarise a b/x y.md: what is it for?', { files: ['a b/x y.md'] });
    expect(text).toBe('a b/x y.md: Markdown, 1 line, headed “Blank”.\n(simulated model)');
  });

  it('lists those nearest to the top where the workspace holds more than a listing or a reply does', async () => {
    const paths = Array.from({ length: 1_100 }, (_, i) => (i < 600 ? `file-${i}.txt` : `deep/file-${i}.txt`));
    await Promise.all(paths.map((path) => workspace.put(path, 'x')));
    const { text } = await work('List every file of the workspace.');
    expect(text).toMatch(/^1100 files in the workspace; the [6-9]\d\d nearest to the top are named\./);
    expect(paths.slice(0, 600).filter((path) => !text.includes(`- ${path}\n`))).toEqual([]);
  });

  it('says that its item is done, without a tool', async () => {
    expect(await work('Say that item 7 is done. [[turns:1]]')).toEqual({
      text: 'Item 7 is done.\n(simulated model)',
      calls: [],
    });
  });
});

/** @throws the problem that the call's own check finds */
async function ask<Value>(call: StructuredCall<Value>): Promise<Value> {
  const reply = await client().messages.create({
    model: call.model,
    max_tokens: (call.replyTokens ?? 8_000) + 16_000,
    system: call.system,
    messages: [{ role: 'user', content: call.prompt }],
    output_config: { format: { type: 'json_schema', schema: call.schema } },
  });
  const checked = await call.check(JSON.parse(toText(reply)));
  if (!checked.ok) throw new Error(checked.problem);
  return checked.value;
}

async function work(
  description: string,
  { archive = true, schema, files = [] }: { archive?: boolean; schema?: object; files?: string[] } = {},
): Promise<{ text: string; calls: string[] }> {
  const toolset = createToolset({ workspace: true, runAllow: [], httpAllow: [], archive });
  const more = schema === undefined ? '' : `\n<schema>\n${JSON.stringify(schema)}\n</schema>`;
  const named = files.length === 0 ? '' : `\n<files>\n${files.join('\n')}\n</files>`;
  const content = `<task kind="other" workspace="site">\n${description}\n</task>${named}${more}`;
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content }];
  const calls: string[] = [];
  for (;;) {
    const { definitions: tools } = toolset;
    const reply = await client().messages.create({ model: 'claude-haiku-5-5', max_tokens: 14_000, tools, messages });
    messages.push({ role: 'assistant', content: reply.content as Anthropic.ContentBlockParam[] });
    if (reply.stop_reason !== 'tool_use') return { text: toText(reply), calls };
    const results: Anthropic.ToolResultBlockParam[] = [];
    for (const block of reply.content) {
      if (block.type !== 'tool_use') continue;
      calls.push(block.name);
      const { content: shown, isError } = await toolset.run(block.name, block.input, workspace.context);
      results.push({ type: 'tool_result', tool_use_id: block.id, content: shown, is_error: isError });
    }
    messages.push({ role: 'user', content: results });
  }
}

function toText(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function client(): Anthropic {
  return new Anthropic({ apiKey: 'simulated', baseURL: simulator.url, maxRetries: 0, timeout: 60_000 });
}
