import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { isSecretName } from '../../../src/config/own-environment.ts';
import { configSecrets } from '../../../src/config/redact.ts';
import { toMessage } from '../../../src/errors.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { costNanoUsd } from '../../../src/pricing/cost.ts';
import { makeFolder } from '../../support/folder.ts';

const AT = new Date('2026-11-27T12:00:00Z');
const ROW = {
  id: 'gpt-9',
  vendor: 'openai',
  api: 'openai',
  context_tokens: 400_000,
  max_output_tokens: 128_000,
  price: { input: 1.25, output: 10, cache_read: 0.125 },
  abilities: { tools: true, schema: true, thinking: true, images: false },
  since: '2026-11-01',
};

const priced = (step: object) => ({ ...ROW, price: { ...ROW.price, step } });

let home = '';
let env: NodeJS.ProcessEnv = {};
beforeEach(() => {
  home = makeFolder();
  env = { FLEET_HOME: home, FLEET_DATA: join(home, 'data') };
});

const write = (value: unknown, name = 'models.json') =>
  writeFileSync(join(home, name), typeof value === 'string' ? value : JSON.stringify(value));
/** The lines of the refusal, without the path of the file. */
const problemsOf = (value: unknown): string[] => {
  write(value);
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    return toMessage(error)
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace(`${join(home, 'models.json')}: `, ''));
  }
};

describe('models.json', () => {
  it('gives rows with their defaults, and routes', () => {
    const local = {
      ...ROW,
      id: 'qwen3:32b',
      vendor: 'local',
      price: 'free-local',
      base_url: 'http://127.0.0.1:11434/v1',
    };
    write({ models: [ROW, local], routes: [{ kind: 'search', min_prompt_tokens: 9, use: ['gpt-9'] }] });
    const { models, routes } = loadConfig(env);
    expect(models).toEqual([
      {
        id: 'gpt-9',
        vendor: 'openai',
        api: 'openai',
        model: 'gpt-9',
        baseUrl: null,
        keyEnv: null,
        contextTokens: 400_000,
        maxOutputTokens: 128_000,
        price: { input: 1_250, output: 10_000, cacheRead: 125, cacheWrite: 1_250, step: null },
        limits: {},
        abilities: ROW.abilities,
        since: '2026-11-01',
      },
      expect.objectContaining({ id: 'qwen3:32b', price: 'free-local', baseUrl: 'http://127.0.0.1:11434/v1' }),
    ]);
    expect(routes).toEqual([{ kind: ['search'], minPromptTokens: 9, use: ['gpt-9'] }]);
  });

  it('is not needed, unless FLEET_MODELS names it', () => {
    expect(loadConfig(env)).toMatchObject({ models: [], routes: [] });
    write({ models: [ROW] }, 'other.json');
    expect(loadConfig({ ...env, FLEET_MODELS: 'other.json' }).models).toHaveLength(1);
    expect(() => loadConfig({ ...env, FLEET_MODELS: 'none.json' })).toThrow(/none\.json: is missing/);
  });

  it('names every wrong field at once', () => {
    const wrong = {
      ...ROW,
      api: 'soap',
      vendor: 'haiku',
      context_tokens: '400k',
      price: { input: -1, output: '10', cache: 2 },
      limits: { rpm: 0 },
      abilities: { tools: 'yes', song: true },
      since: '2026-02-31',
    };
    const problems = problemsOf({ models: [wrong], routes: [{ kind: 'serach', use: [] }], model: 1 });
    for (const line of [
      'models[0] (gpt-9).api: expected anthropic, openai, gemini, got "soap"',
      'models[0] (gpt-9).vendor: "haiku" is a name of a total; expected a vendor, such as google',
      'models[0] (gpt-9).context_tokens: expected a whole number 1000..100000000, got "400k"',
      'models[0] (gpt-9).price.input: expected a number 0..10,000 dollars a million tokens, got -1',
      'models[0] (gpt-9).price.output: expected a number 0..10,000 dollars a million tokens, got "10"',
      'models[0] (gpt-9).price: unknown field "cache"; known are input, output, cache_read, cache_write, step',
      'models[0] (gpt-9).limits.rpm: expected a whole number 1..10000000, got 0',
      'models[0] (gpt-9).abilities.tools: expected true or false, got "yes"',
      'models[0] (gpt-9).abilities: unknown field "song"; known are tools, schema, thinking, images',
      'models[0] (gpt-9).since: expected a day of the calendar',
      expect.stringContaining('routes[0].kind[0]: expected file, git,'),
      'routes[0].use: expected a list of models, the first one first, got an empty list',
      'unknown field "model"; known are models, routes',
    ]) {
      expect(problems).toContainEqual(line);
    }
  });

  it.each([
    ['an unknown price', { ...ROW, price: undefined }, 'price: expected { input, output } in dollars'],
    ['a price of nothing', { ...ROW, price: { input: 0, output: 0 } }, 'price: expected prices above 0'],
    ['a step without prices', priced({ tokens: 9 }), 'price.step: expected tokens with a factor, or with input and'],
    [
      'a step with both',
      priced({ tokens: 9, factor: 2, input: 3 }),
      'price.step: expected tokens with a factor, or with',
    ],
    ['a lower step', priced({ tokens: 9, input: 3, output: 9 }), 'price.step: expected prices no lower than those of'],
    ['a word as a price', { ...ROW, price: 'free' }, 'price: expected'],
    ['a local model without an address', { ...ROW, price: 'free-local' }, 'base_url: expected the address'],
    [
      'a vendor without a known address',
      { ...ROW, vendor: 'acme', key_env: 'ACME_KEY' },
      'base_url: expected the address of this vendor',
    ],
    [
      'a vendor without a known key',
      { ...ROW, vendor: 'acme', base_url: 'https://acme.example' },
      'key_env: expected the variable',
    ],
    ['a reply above the window', { ...ROW, max_output_tokens: 400_001 }, 'max_output_tokens: expected at most'],
    ['a key in place of its variable', { ...ROW, key_env: 'sk-Secret' }, 'key_env: expected the name of the variable'],
    ['a key', { ...ROW, api_key: 'sk-Secret' }, 'unknown field "api_key": a key belongs in .env'],
    ['a variable for something else', { ...ROW, key_env: 'FLEET_SONNET_MODEL' }, 'key_env FLEET_SONNET_MODEL'],
  ])('refuses %s, and shows no key', (_what, row, problem) => {
    const problems = problemsOf({ models: [row] });
    expect(problems.join('\n')).toContain(problem);
    expect(problems).toHaveLength(1);
    expect(problems.join('\n')).not.toContain('Secret');
  });

  it.each([
    ['{"models": [\n  {"id": "a",}\n]}', 'is no JSON: line 2, character 14: look for a comma'],
    ['{\n // a remark\n}', 'is no JSON: line 2, character 2: JSON has no comments'],
    ['', 'is no JSON: it is empty'],
    [{ models: [{ ...ROW, vendor: 'ollama', price: { input: -1, output: 1 } }] }, 'price.input: expected'],
    [{ models: [{ ...ROW, price: 'free', max_output_tokens: 400_001 }] }, 'max_output_tokens: expected at most'],
    ['[]', 'expected an object with models, routes, got []'],
    [{ models: [ROW, ROW] }, 'models: gpt-9 is there twice with since 2026-11-01'],
  ])('refuses %j', (value, problem) => {
    expect(problemsOf(value).join('\n')).toContain(problem);
  });
});

describe('the key of a row', () => {
  it('is read from its variable, redacted, and kept from all children', () => {
    const key = `acme-${'1a'.repeat(12)}`;
    write({ models: [{ ...ROW, key_env: 'ACME_TOKEN' }] });
    const config = loadConfig({ ...env, ACME_TOKEN: key, OPENAI_API_KEY: 'openai-key-1' });
    expect(config.modelKeys).toEqual({ ACME_TOKEN: key, OPENAI_API_KEY: 'openai-key-1' });
    expect(configSecrets(config)).toContain(key);
    expect(isSecretName('ACME_TOKEN')).toBe(true);
    expect(() => loadConfig({ ...env, FLEET_RUN_ENV: 'ACME_TOKEN' })).toThrow(/secret of the fleet/);
  });

  it('is checked as every key is', () => {
    write({ models: [{ ...ROW, key_env: 'ACME_TOKEN' }] });
    expect(() => loadConfig({ ...env, ACME_TOKEN: 'with blank' })).toThrow(/ACME_TOKEN: expected ASCII letters/);
    expect(loadConfig(env).modelKeys).toEqual({});
  });
});

describe('a catalog of own rows', () => {
  const catalogOf = (...models: unknown[]) => {
    write({ models });
    return createCatalog(loadConfig(env).models);
  };

  it('has them first, with what calls them', () => {
    const catalog = catalogOf({ ...ROW, model: 'gpt-9-2026', key_env: 'ACME_TOKEN', limits: { rpm: 5 } });
    expect(catalog.list(AT)[0]?.id).toBe('gpt-9');
    expect(catalog.find('gpt-9', AT)).toMatchObject({
      api: 'openai',
      model: 'gpt-9-2026',
      keyEnv: 'ACME_TOKEN',
      limits: { rpm: 5 },
      isLocal: false,
      prices: { input: 1_250, output: 10_000, cacheRead: 125, cacheWrite: 1_250 },
    });
  });

  it('takes the row in force on a day: of its own rows before a built-in one, from its day on', () => {
    const haiku = { ...ROW, id: 'claude-haiku-5-5', vendor: 'anthropic', api: 'anthropic' };
    const catalog = catalogOf(
      { ...haiku, since: '2026-12-01', price: { input: 2, output: 4 } },
      { ...haiku, since: '2027-01-01', price: { input: 3, output: 6 } },
    );
    const inputAt = (day: string) => catalog.find('claude-haiku-5-5', new Date(day)).prices.input;
    expect(['2026-11-30', '2026-12-01', '2026-12-31', '2027-01-01'].map(inputAt)).toEqual([100, 2_000, 2_000, 3_000]);
  });

  it.each([
    ['a factor', { tokens: 272_000, factor: 1.5 }, [1_875, 15_000, 188, 1_875]],
    ['its own prices', { tokens: 272_000, input: 2, output: 12, cache_read: 0.2 }, [2_000, 12_000, 200, 2_000]],
  ])('books a prompt above the step by %s, and one of exactly the step by the usual price', (_what, step, above) => {
    const entry = catalogOf(priced(step)).find('gpt-9', AT);
    const costs = (input: number) => costNanoUsd(entry, { input, output: 10, cache_write: 0, cache_read: 0 });
    const prices = entry.pricesAboveStep;
    expect([prices?.input, prices?.output, prices?.cacheRead, prices?.cacheWrite]).toEqual(above);
    expect(costs(272_000)).toBe(272_000 * 1_250 + 10 * 10_000);
    expect(costs(272_001)).toBe(272_001 * (above[0] ?? 0) + 10 * (above[1] ?? 0));
  });

  it('books nothing for a free local model, and says that it is one', () => {
    const catalog = catalogOf({ ...ROW, price: 'free-local', base_url: 'http://127.0.0.1:1/v1' });
    expect(catalog.find('gpt-9', AT)).toMatchObject({
      isLocal: true,
      prices: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    });
  });
});
