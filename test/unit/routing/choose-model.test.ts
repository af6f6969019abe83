import { describe, expect, it } from 'vitest';
import type { ModelRow, RouteRow } from '../../../src/config/model-rows/types.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { chooseModel } from '../../../src/routing/choose-model.ts';
import { FIXED_PROMPT_TOKENS, toRouteAsk } from '../../../src/routing/route-ask.ts';
import type { RouteAsk, RouteTable } from '../../../src/routing/types.ts';

const AT = new Date('2026-11-27T12:00:00Z');

function row(id: string, more: Partial<ModelRow> = {}): ModelRow {
  return {
    id,
    vendor: 'acme',
    api: 'openai',
    model: id,
    baseUrl: null,
    keyEnv: null,
    contextTokens: 200_000,
    maxOutputTokens: 8_000,
    price: { input: 500, output: 1_000, cacheRead: 50, cacheWrite: 500, step: null },
    limits: {},
    abilities: { tools: true, schema: true, thinking: false, images: false },
    since: '2026-01-01',
    ...more,
  };
}

function tableOf(routes: RouteRow[], rows: ModelRow[] = []): RouteTable {
  const own = rows.map(({ id }) => id);
  return { routes, own, catalog: createCatalog(rows), defaultModel: 'claude-haiku-5-5', at: AT };
}

function ask(more: Partial<RouteAsk> = {}): RouteAsk {
  return {
    kind: 'other',
    model: null,
    promptTokens: 10_000,
    needs: ['tools'],
    isCheap: false,
    budgetNanoUsd: null,
    vendors: null,
    workspace: null,
    ...more,
  };
}

/** Ids of the models that may do it, in their order; or the refusal. */
function choose(asked: RouteAsk, table: RouteTable): string[] | string {
  const chosen = chooseModel(asked, table);
  return chosen.kind === 'refusal' ? chosen.message : [chosen.entry, ...chosen.next].map(({ id }) => id);
}

describe('chooseModel', () => {
  it('takes the default model, and no other one after it, where there are no routes', () => {
    expect(choose(ask(), tableOf([]))).toEqual(['claude-haiku-5-5']);
  });

  it('takes the first route that is for the task, with what it lists in its order', () => {
    const table = tableOf(
      [
        { kind: ['docs', 'analysis'], use: ['small'] },
        { minPromptTokens: 100_000, use: ['large'] },
        { needs: ['schema'], use: ['deepseek-flash', 'claude-haiku-5-5'] },
        { use: ['small', 'deepseek-flash'] },
      ],
      [row('small'), row('large', { contextTokens: 2_000_000 })],
    );
    expect(choose(ask({ kind: 'docs' }), table)).toEqual(['small']);
    expect(choose(ask({ promptTokens: 100_000 }), table)).toEqual(['large']);
    expect(choose(ask({ needs: ['tools', 'schema'] }), table)).toEqual(['deepseek-flash', 'claude-haiku-5-5']);
    expect(choose(ask(), table)).toEqual(['small', 'deepseek-flash']);
  });

  it('gives the cheap route to a task that asks for it, or whose own budget holds no call of the default model', () => {
    const table = tableOf([{ budget: 'cheap', use: ['deepseek-flash'] }]);
    expect(choose(ask({ isCheap: true }), table)).toEqual(['deepseek-flash']);
    expect(choose(ask({ budgetNanoUsd: 5_000_000 }), table)).toEqual(['deepseek-flash']); // half a cent
    expect(choose(ask({ budgetNanoUsd: 1_000_000_000 }), table)).toEqual(['claude-haiku-5-5']);
    expect(choose(ask(), table)).toEqual(['claude-haiku-5-5']);
  });

  it('leaves a model that a task names alone, whatever the routes say', () => {
    const table = tableOf([{ use: ['deepseek-flash'] }]);
    expect(choose(ask({ model: 'claude-sonnet-5-5' }), table)).toEqual(['claude-sonnet-5-5']);
  });

  it('passes over models that do not hold the prompt, and says which of a route hold it', () => {
    const table = tableOf([{ use: ['small', 'large'] }], [row('small'), row('large', { contextTokens: 2_000_000 })]);
    const chosen = chooseModel(ask({ promptTokens: 300_000 }), table);
    expect(chosen).toMatchObject({ kind: 'choice', entry: { id: 'large' }, next: [], route: 1 });
    expect(chosen.passedOver).toEqual([
      'route 1 (all tasks): small holds 192,000 tokens beside a reply, and the prompt has about 300,000',
    ]);
  });

  it('sends a prompt above the windows of route and default to the cheapest named model that holds it', () => {
    const rows = [
      row('small'),
      row('dear', { contextTokens: 5_000_000 }),
      row('cheap', {
        contextTokens: 5_000_000,
        price: { input: 10, output: 10, cacheRead: 1, cacheWrite: 10, step: null },
      }),
    ];
    const table = tableOf([{ use: ['small'] }], rows);
    expect(choose(ask({ promptTokens: 2_000_000 }), table)).toEqual(['cheap']);
  });

  it('refuses a prompt that no named model holds, and says which row would do', () => {
    const table = tableOf([{ use: ['small'] }], [row('small')]);
    const hay = { ...table, defaultModel: 'small' };
    expect(choose(ask({ promptTokens: 300_000 }), hay)).toMatch(
      /^no model .* holds a prompt of about 300,000 tokens; claude-haiku-5-5.* would do: name one/,
    );
    expect(choose(ask({ promptTokens: 90_000_000 }), table)).toMatch(/no known model would do: add a row/);
  });

  it('refuses a named model that does not hold the prompt, or can use no tools', () => {
    const table = tableOf(
      [],
      [row('small'), row('mute', { abilities: { tools: false, schema: false, thinking: false, images: false } })],
    );
    expect(choose(ask({ model: 'small', promptTokens: 300_000 }), table)).toMatch(
      /^small holds 192,000 tokens beside a reply, and the prompt has about 300,000; claude-haiku-5-5/,
    );
    expect(choose(ask({ model: 'mute' }), table)).toMatch(/^mute can use no tools; and workers need them; /);
  });

  it('forbids all other vendors, also where a route or the task names them', () => {
    const table = tableOf([
      { kind: ['docs'], use: ['deepseek-flash'] },
      { use: ['deepseek-flash', 'claude-sonnet-5-5'] },
    ]);
    const held = { vendors: ['anthropic'], workspace: 'site' };
    expect(choose(ask({ ...held, kind: 'docs' }), table)).toEqual(['claude-sonnet-5-5']);
    expect(choose(ask({ ...held, model: 'deepseek-flash' }), table)).toMatch(
      /^deepseek-flash is of deepseek, and workspace site allows only anthropic; claude-haiku-5-5/,
    );
    expect(choose(ask({ vendors: ['mistral'], workspace: 'site' }), tableOf([]))).toMatch(
      /^no model that models.json or FLEET_HAIKU_MODEL names may do it \(default: claude-haiku-5-5 is of anthropic/,
    );
  });

  it('passes over a model of a route that is unknown or retired, and says so; a route with no other is refused by its place', () => {
    const routes = [{ kind: ['docs'], use: ['gone', 'gone-too'] }, { use: ['gone', 'deepseek-flash'] }];
    const chosen = chooseModel(ask(), tableOf(routes));
    expect(chosen).toMatchObject({ kind: 'choice', entry: { id: 'deepseek-flash' }, next: [], route: 2 });
    const problem = 'route 2 (all tasks): model "gone": no price is known for it; known are ';
    expect(chosen.passedOver).toContainEqual(expect.stringContaining(problem));
    expect(chosen).toMatchObject({ unknown: [expect.stringContaining(problem)] });

    expect(choose(ask({ kind: 'docs' }), tableOf(routes))).toMatch(
      /^routes\[0\]\.use in models\.json: model "gone": no price .*; model "gone-too": .*; correct it, then fleet reload$/,
    );
    const lost = { ...tableOf([{ budget: 'cheap', use: ['deepseek-flash'] }]), defaultModel: 'gone' };
    expect(choose(ask({ budgetNanoUsd: 5 }), lost)).toMatch(/^FLEET_HAIKU_MODEL: model "gone": no price/);
    // A model that is too small beside one that is unknown: the cheapest that holds the prompt takes over, as ever.
    const table = tableOf([{ use: ['gone', 'small'] }], [row('small'), row('large', { contextTokens: 2_000_000 })]);
    expect(choose(ask({ promptTokens: 1_500_000 }), table)).toEqual(['large']);
  });

  it('never sends a forbidden prompt to another vendor only because it is large', () => {
    const table = tableOf([], [row('large', { contextTokens: 9_000_000 })]);
    const chosen = choose(ask({ promptTokens: 2_000_000, vendors: ['anthropic'], workspace: 'site' }), table);
    expect(chosen).toMatch(/no known model of anthropic would do/);
  });
});

describe('toRouteAsk', () => {
  it('counts what the task brings, and what each prompt begins with', () => {
    const small = toRouteAsk({ description: 'Say hello' }, { contextBytes: 0, vendors: null });
    expect(small.promptTokens).toBeGreaterThan(FIXED_PROMPT_TOKENS);
    expect(small.promptTokens).toBeLessThan(FIXED_PROMPT_TOKENS + 20);
    const large = toRouteAsk(
      { description: 'Read', data: 'word '.repeat(100_000), schema: { type: 'object' }, effort: 'low' },
      { contextBytes: 240_000, vendors: null },
    );
    expect(large.promptTokens).toBeGreaterThan(FIXED_PROMPT_TOKENS + 250_000);
    expect(large.needs).toEqual(['tools', 'schema', 'thinking']);
  });
});
