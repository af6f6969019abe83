import { describe, expect, it } from 'vitest';
import { planSchema, type Plan } from '../../../src/coordinator/plan/plan.ts';
import type { MessagesRequest } from '../../../simulator/model/types.ts';
import { finishReply } from '../../../simulator/anthropic/reply/finish-reply.ts';
import { askRuleModel } from '../../support/models/ask-rule-model.ts';

const LISTING = [
  ['README.md', 900],
  ['package.json', 300],
  ['src/ledger/prices.ts', 2_000],
  ['src/ledger/budget.ts', 3_000],
  ['src/redis/keys.ts', 1_500],
  ['src/redis/connect.ts', 1_000],
  ['docs/guide.md', 4_000],
  ['node_modules/x/index.js', 9_000],
];

interface Blocks {
  goal?: string;
  workspace?: string;
  files?: (string | number)[][];
  limits?: { max_tasks: number; max_sonnet: number };
  failed?: string[];
}

function request(blocks: Blocks, rest: Partial<MessagesRequest> = {}): MessagesRequest {
  const { goal, workspace, files, limits, failed } = blocks;
  const parts: Record<string, string | undefined> = {
    goal,
    workspace,
    files: files?.map((file) => file.join('\t')).join('\n'),
    limits: limits === undefined ? undefined : JSON.stringify(limits),
    failed: failed?.join('\n'),
  };
  const content = Object.entries(parts)
    .flatMap(([name, text]) => (text === undefined ? [] : [`<${name}>\n${text}\n</${name}>`]))
    .join('\n');
  const schema = { title: 'plan', type: 'object' };
  return {
    model: 'claude-sonnet-5-5',
    max_tokens: 64_000,
    messages: [{ role: 'user', content }],
    output_config: { format: { type: 'json_schema', schema } },
    ...rest,
  };
}

function reply(asked: MessagesRequest): string {
  const [block] = askRuleModel(asked).content;
  return block?.type === 'text' ? block.text : '';
}

const plan = (blocks: Blocks): Plan => planSchema.parse(JSON.parse(reply(request(blocks))));
const size = ({ tasks }: Plan): number => tasks.reduce((sum, task) => sum + (task.for_each?.length ?? 1), 0);
const sentBack = (asked: MessagesRequest): MessagesRequest => ({
  ...asked,
  messages: [
    ...asked.messages,
    { role: 'assistant', content: 'x' },
    { role: 'user', content: '<problem>\nIt will not do.\n</problem>' },
  ],
});

describe('a plan over listed files', () => {
  const folder = plan({ goal: 'Review it', workspace: 'site', files: LISTING });

  it('has ten Haiku tasks or more', () => {
    expect(size(folder)).toBeGreaterThanOrEqual(10);
    expect(new Set(folder.tasks.map(({ model }) => model))).toEqual(new Set(['haiku']));
  });

  it('names only files that were listed, and none of what tools made', () => {
    const named = folder.tasks.find(({ id }) => id === 'describe')?.for_each ?? [];
    const listed = LISTING.map(([path]) => path);
    expect(named.filter((path) => !listed.includes(path))).toEqual([]);
    expect(named).not.toContain('node_modules/x/index.js');
  });

  it('asks the archive once, after the files were described', () => {
    const asking = folder.tasks.filter(({ description }) => description.startsWith('Ask the archive:'));
    expect(asking).toMatchObject([{ depends_on: ['describe'] }]);
  });

  it('ends with a task that depends on others', () => {
    const ids = new Set(folder.tasks.map(({ id }) => id));
    expect(folder.tasks.at(-1)?.depends_on.length).toBeGreaterThan(2);
    expect(folder.tasks.flatMap((task) => task.depends_on).filter((id) => !ids.has(id))).toEqual([]);
  });

  it('begins with the files that the goal speaks of', () => {
    const about = plan({ goal: 'How are prices booked?', files: LISTING });
    expect(about.tasks[0]?.for_each?.[0]).toBe('src/ledger/prices.ts');
  });

  it('is the same for the same prompt', () => {
    expect(plan({ goal: 'Review it', workspace: 'site', files: LISTING })).toEqual(folder);
  });

  it.each([1, 3, 7])('holds no more than %i tasks where that is the limit', (most) => {
    const small = plan({ goal: 'Review it', files: LISTING, limits: { max_tasks: most, max_sonnet: 1 } });
    expect(size(small)).toBe(most);
  });
});

it.each([{ goal: 'Learn about tea' }, { goal: 'Learn about tea', workspace: 'site' }])(
  'without a listing a plan has three to six tasks: %j',
  (blocks) => {
    const blind = plan(blocks);
    expect(size(blind)).toBeGreaterThanOrEqual(3);
    expect(size(blind)).toBeLessThanOrEqual(6);
  },
);

describe('markers in the goal', () => {
  it('ask for an exact number of tasks, all but a few of them for Haiku', () => {
    const many = plan({ goal: 'x [[tasks:2000]] [[sonnet:3]]' });
    expect(size(many)).toBe(2_000);
    expect(many.tasks.filter(({ model }) => model === 'sonnet')).toHaveLength(3);
    expect(many.tasks.filter(({ model, reason }) => model === 'sonnet' && reason === null)).toEqual([]);
  });

  it('keep to the limit of Sonnet tasks once the plan is sent back', () => {
    const asked = request({ goal: 'x [[sonnet-once:3]]', limits: { max_tasks: 9, max_sonnet: 1 } });
    const count = (text: string): number => text.split('"model":"sonnet"').length - 1;
    expect([count(reply(asked)), count(reply(sentBack(asked)))]).toEqual([3, 1]);
  });

  it('make the given number of tasks fail', () => {
    const failing = plan({ goal: 'x [[tasks:10]] [[fail:2]]' });
    const refused = failing.tasks.filter(({ description }) => description.includes('[[refuse]]'));
    expect(refused.map((task) => task.for_each)).toEqual([['1', '2']]);
    expect(size(failing)).toBe(10);
  });

  it('chain the tasks', () => {
    const chain = plan({ goal: 'x [[depends:3]]' });
    expect(chain.tasks.map((task) => task.depends_on)).toEqual([[], ['step-1'], ['step-2']]);
  });

  it('close a circle', () => {
    expect(plan({ goal: 'x [[cycle]]' }).tasks.map((task) => task.depends_on)).toEqual([['egg'], ['hen']]);
  });

  it('leave the plan empty', () => expect(plan({ goal: 'x [[no-tasks]]' }).tasks).toEqual([]));

  it('pass the limit by one task', () => {
    expect(size(plan({ goal: 'x [[too-many]]', limits: { max_tasks: 50, max_sonnet: 5 } }))).toBe(51);
  });

  it('slow every task down', () => {
    const slow = plan({ goal: 'x [[tasks:5]] [[task-latency:70]]' });
    expect(slow.tasks.every(({ description }) => description.includes('[[latency:70]]'))).toBe(true);
  });

  it('break the plan until it is sent back, or always', () => {
    const [once, always] = [request({ goal: 'x [[bad-plan-once]]' }), request({ goal: 'x [[bad-plan]]' })];
    const fits = (asked: MessagesRequest): boolean => planSchema.safeParse(JSON.parse(reply(asked))).success;
    expect([fits(once), fits(sentBack(once)), fits(always), fits(sentBack(always))]).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });

  it('decline', () => {
    expect(askRuleModel(request({ goal: 'x [[refused-plan]]' }))).toMatchObject({
      content: [],
      refusal: expect.any(String),
    });
  });

  it('take their time', () => {
    expect(askRuleModel(request({ goal: 'x [[latency:1234]]' })).latencyMs).toBe(1_234);
  });
});

it('is cut where it does not fit into max_tokens', () => {
  const asked = request({ goal: 'x [[tasks:2000]]' }, { max_tokens: 50 });
  const model = { charactersPerToken: 4, contextTokens: 1_000 };
  const terms = { request: asked, requestHash: 'hash', model, promptTokens: 10, thinking: null };
  expect(finishReply(askRuleModel(asked), terms)).toMatchObject({ stopReason: 'max_tokens', output: 50 });
});

it('leaves a task with a schema of its own to the worker’s rules', () => {
  const schema = {
    title: 'files',
    type: 'object',
    properties: { files: { type: 'array', items: { type: 'string' } } },
  };
  const asked = request({ goal: 'x' }, { output_config: { format: { type: 'json_schema', schema } } });
  expect(JSON.parse(reply(asked))).toEqual({ files: [] });
});
