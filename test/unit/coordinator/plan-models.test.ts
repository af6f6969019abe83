import { describe, expect, it } from 'vitest';
import type { ModelRow } from '../../../src/config/model-rows/types.ts';
import { checkPlan } from '../../../src/coordinator/plan/check.ts';
import { toPlanCall } from '../../../src/coordinator/plan/prompt.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { toTestModels, type GivenModels } from '../../support/models/plan-models.ts';

const PRICE = { input: 100, output: 400, cacheRead: 100, cacheWrite: 100, step: null };

function rowOf(id: string, changes: Partial<ModelRow> = {}): ModelRow {
  return {
    id,
    vendor: 'openrouter',
    api: 'openai',
    model: id,
    baseUrl: null,
    keyEnv: null,
    contextTokens: 131_072,
    maxOutputTokens: 32_000,
    price: PRICE,
    limits: {},
    abilities: { tools: true, schema: true, thinking: false, images: false },
    since: '2026-11-01',
    ...changes,
  };
}

const LOCAL = rowOf('qwen3-local', { vendor: 'ollama', contextTokens: 40_960, price: 'free-local' });
const MODELS: GivenModels = {
  models: [rowOf('glm-air'), LOCAL, rowOf('reader', { abilities: { ...LOCAL.abilities, tools: false } })],
  routes: [
    { kind: ['search'], use: ['deepseek-flash', 'claude-haiku-5-5'] },
    { kind: ['archive'], use: ['gpt-5.5'] },
  ],
};

function problemOf(task: object, given: GivenModels = MODELS): string {
  const plan = { approach: 'look', tasks: [{ id: 'a', description: 'look', kind: 'search', ...task }] };
  const checked = checkPlan(plan, { maxTasks: 100, maxSonnet: 10, models: toTestModels(given) });
  return checked.ok ? 'nothing' : checked.problem;
}

describe('the planner', () => {
  it('is told the models of routes and own rows, the cheapest first, and may name no other', () => {
    const limits = { maxTasks: 9, maxSonnet: 1, models: toTestModels(MODELS) };
    const question = { catalog: createCatalog([]), goal: 'Look', workspace: null, files: [], archive: null, limits };
    const { prompt, schema } = toPlanCall({ ...question, model: 'claude-sonnet-5-5' });
    expect(/<models>\n([^<]*)\n<\/models>/.exec(prompt)?.[1]?.split('\n')).toEqual([
      'qwen3-local: free-local, prompts of 20k tokens, schema',
      'glm-air: cheap, prompts of 99k tokens, schema',
      expect.stringMatching(/^haiku: cheap, /),
      expect.stringMatching(/^deepseek-flash: cheap, prompts of \d+k tokens/),
      expect.stringMatching(/^sonnet: expensive, /),
    ]);
    expect(JSON.stringify(schema)).toContain('"enum":["qwen3-local","glm-air","haiku","deepseek-flash","sonnet"]');
  });

  it('is told of no model without a key, and of none that the workspace forbids', () => {
    const offered = (given: GivenModels): string[] => toTestModels(given).offered.map(({ name }) => name);
    expect(offered({ ...MODELS, canCall: ({ vendor }) => vendor === 'ollama' })).toEqual([
      'qwen3-local',
      'haiku',
      'sonnet',
    ]);
    expect(offered({ ...MODELS, vendors: ['anthropic', 'deepseek'] })).toEqual(['haiku', 'deepseek-flash', 'sonnet']);
    expect(offered({ ...MODELS, vendors: ['ollama'] })).toEqual(['qwen3-local', 'haiku']);
  });

  it('is told of twenty models at most', () => {
    const models = Array.from({ length: 60 }, (_, i) => rowOf(`own-${i}`));
    expect(toTestModels({ models }).offered).toHaveLength(20);
  });
});

describe('a plan', () => {
  it.each([
    ['haiku', 'nothing'],
    ['qwen3-local', 'nothing'],
    ['deepseek-flash', 'nothing'],
    ['claude-haiku-5-5', 'nothing'],
    [
      'gpt-9',
      'task 1 ("a"), model: no task of a plan may go to "gpt-9": expected haiku, sonnet, deepseek-flash, glm-air, qwen3-local',
    ],
    ['gpt-5.5', /^task 1 \("a"\), model: no task of a plan may go to "gpt-5.5"/], // of the archive's route
    ['reader', 'task 1 ("a"), model: reader can use no tools, and workers need them'],
    ['sonnet', /^task 1 \("a"\), reason: model sonnet needs a reason, one of .*; else haiku/],
    ['claude-sonnet-5-5', /^task 1 \("a"\), reason: model claude-sonnet-5-5 needs a reason/],
  ])('that names %s: %s', (model, problem) => {
    if (typeof problem === 'string') expect(problemOf({ model })).toBe(problem);
    else expect(problemOf({ model })).toMatch(problem);
  });

  it('names no model of a vendor that the workspace forbids, also by the word sonnet', () => {
    const given = { ...MODELS, vendors: ['deepseek'] };
    expect(problemOf({ model: 'qwen3-local' }, given)).toBe(
      `task 1 ("a"), model: qwen3-local is of ollama, and the mission's workspace allows only deepseek`,
    );
    expect(problemOf({ model: 'sonnet', reason: 'ambiguous requirements' }, given)).toContain('is of anthropic');
    expect(problemOf({ model: 'haiku' }, given)).toBe('nothing');
  });

  it('needs a reason, and a share of one in ten, by class and price, not by the word', () => {
    const models = [
      rowOf('claude-sonnet-4-8', { vendor: 'anthropic', price: { ...PRICE, input: 3_000, output: 15_000 } }),
      rowOf('resold', { price: { ...PRICE, input: 50_000, output: 50_000 } }),
    ];
    for (const model of ['claude-sonnet-4-8', 'resold']) {
      expect(problemOf({ model }, { models })).toContain(`model ${model} needs a reason`);
      const task = { model, reason: 'ambiguous requirements', for_each: ['x', 'y'], description: '{item}' };
      expect(problemOf(task, { models })).toBe(
        `the plan gives 2 of 2 tasks to ${model}: expected at most 1; give the others to haiku`,
      );
    }
    // The coordinator's class counts, whatever its price; the default model's never does.
    const lead = { ...MODELS, FLEET_COORDINATOR_MODEL: 'glm-air' };
    expect(problemOf({ model: 'glm-air' }, lead)).toContain('needs a reason');
    expect(problemOf({ model: 'qwen3-local' }, lead)).toBe('nothing');
    expect(problemOf({ model: 'haiku' }, { FLEET_COORDINATOR_MODEL: 'claude-haiku-5-5' })).toBe('nothing');
  });
});
