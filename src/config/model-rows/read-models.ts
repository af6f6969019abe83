import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { toMessage } from '../../errors.ts';
import { parseExact } from '../../text/exact-json.ts';
import { JsonTextError } from '../../text/json-reader.ts';
import { object, shown } from './fields.ts';
import { routeSchema } from './route-schema.ts';
import { rowSchema } from './row-schema.ts';
import type { ModelPrice, ModelRow, RouteRow } from './types.ts';

export interface ReadModels {
  models: ModelRow[];
  routes: RouteRow[];
  /** Every wrong field, by its path in the file. The file is not used then. */
  problems: string[];
}

/** More than any such file has. */
const MOST_BYTES = 2 ** 20;

const fileSchema = object({
  models: z.array(rowSchema, { error: (issue) => `expected a list of models, got ${shown(issue.input)}` }).default([]),
  routes: z
    .array(routeSchema, { error: (issue) => `expected a list of routes, got ${shown(issue.input)}` })
    .default([]),
});

/**
 * Reads `models.json`. Where none is named and the home has none, there are no rows.
 * @param named `FLEET_MODELS`: a path, relative to the home. Undefined: `models.json` in the home
 */
export function readModels(named: string | undefined, home: string): ReadModels {
  const path = named === undefined ? join(home, 'models.json') : resolve(home, named);
  const fail = (...problems: string[]): ReadModels => ({
    models: [],
    routes: [],
    problems: problems.map((problem) => `${path}: ${problem}`),
  });
  let text: string;
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file === undefined)
      return named === undefined
        ? { models: [], routes: [], problems: [] }
        : fail('is missing, and FLEET_MODELS names it');
    if (!file.isFile()) return fail(`expected a file, got a ${file.isDirectory() ? 'folder' : 'device'}`);
    if (file.size > MOST_BYTES) return fail(`expected at most 1 MiB, got ${(file.size / MOST_BYTES).toFixed(1)} MiB`);
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    return fail(`cannot be read (${toMessage(error)})`);
  }
  let json: unknown;
  try {
    json = parseExact(text);
  } catch (error) {
    if (text.includes('\0')) return fail('expected UTF-8, got UTF-16 or no text at all');
    return fail(`is no JSON: ${describePlace(error, text)}`);
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) return fail(...parsed.error.issues.flatMap((issue) => describeIssue(issue, json)));
  const models = parsed.data.models.map(toRow);
  const twice = models.filter((row, i) =>
    models.slice(0, i).some(({ id, since }) => id === row.id && since === row.since),
  );
  if (twice.length > 0) {
    return fail(
      ...twice.map(
        ({ id, since }) => `models: ${id} is there twice with since ${since}; a new price is a row with its own day`,
      ),
    );
  }
  return { models, routes: parsed.data.routes.map(toRoute), problems: [] };
}

function toRow(row: z.output<typeof rowSchema>): ModelRow {
  return {
    id: row.id,
    vendor: row.vendor,
    api: row.api,
    model: row.model ?? row.id,
    baseUrl: row.base_url ?? null,
    keyEnv: row.key_env ?? null,
    contextTokens: row.context_tokens,
    maxOutputTokens: row.max_output_tokens,
    price: row.price === 'free-local' ? row.price : toPrice(row.price),
    limits: withoutAbsent(row.limits ?? {}),
    abilities: row.abilities,
    since: row.since,
  };
}

/** A price that is not given is that of input, so that no kind of token is free. A fraction of a nano-dollar is rounded up. */
function toPrice(price: Exclude<z.output<typeof rowSchema>['price'], string>): ModelPrice {
  const { step, ...usual } = price;
  if (step === undefined) return { ...toTokenPrices(usual), step: null };
  const { tokens, factor, input, output, cache_read, cache_write } = step;
  if (factor !== undefined) return { ...toTokenPrices(usual), step: { tokens, factor } };
  if (input === undefined || output === undefined) throw new TypeError('a step has a factor or prices'); // the schema checks it
  return {
    ...toTokenPrices(usual),
    step: { tokens, prices: toTokenPrices({ input, output, cache_read, cache_write }) },
  };
}

function toTokenPrices(usd: {
  input: number;
  output: number;
  cache_read?: number | undefined;
  cache_write?: number | undefined;
}): Omit<ModelPrice, 'step'> {
  const toNano = (price: number): number => Math.ceil(Number((price * 1_000).toFixed(6)));
  return {
    input: toNano(usd.input),
    output: toNano(usd.output),
    cacheRead: toNano(usd.cache_read ?? usd.input),
    cacheWrite: toNano(usd.cache_write ?? usd.input),
  };
}

function toRoute(route: z.output<typeof routeSchema>): RouteRow {
  return withoutAbsent({
    kind: route.kind,
    minPromptTokens: route.min_prompt_tokens,
    needs: route.needs,
    budget: route.budget,
    use: route.use,
  });
}

type Present<Value> = { [Name in keyof Value]: Exclude<Value[Name], undefined> };

function withoutAbsent<Value extends object>(value: Value): Present<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Present<Value>;
}

/** `models[2] (gpt-6).price.input: expected …`: the path of the field, with the id of its row. */
function describeIssue(issue: z.core.$ZodIssue, json: unknown, before: readonly PropertyKey[] = []): string[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'invalid_union') {
    // The form that the value resembles says more than the union: which of its fields is wrong.
    const said = issue.errors.find((errors) => errors.some((one) => one.path.length > 0 || !isOfType(one)));
    if (said !== undefined) return said.flatMap((inner) => describeIssue(inner, json, path));
  }
  let place = '';
  for (const [i, part] of path.entries()) {
    if (typeof part !== 'number') place += `${place === '' ? '' : '.'}${String(part)}`;
    else place += `[${part}]${i === 1 ? describeRow(json, path[0], part) : ''}`;
  }
  return [place === '' ? issue.message : `${place}: ${issue.message}`];
}

function isOfType({ code }: z.core.$ZodIssue): boolean {
  return code === 'invalid_type' || code === 'invalid_value';
}

function describeRow(json: unknown, list: PropertyKey | undefined, i: number): string {
  const rows: unknown = list === 'models' ? Reflect.get(json as object, 'models') : null;
  const row: unknown = Array.isArray(rows) ? rows[i] : null;
  const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, 'id') : null;
  return typeof id === 'string' && /^[!-~]{1,128}$/.test(id) ? ` (${id})` : '';
}

/** The place, for a person. It shows nothing of the text, which may hold a key. */
function describePlace(error: unknown, text: string): string {
  if (text.trim() === '') return 'it is empty; {} has no models';
  if (!(error instanceof JsonTextError)) return toMessage(error);
  const { line, column } = error;
  const isComment = /^\s*(?:\/[/*]|#)/.test(text.split('\n')[line - 1]?.slice(column - 1) ?? '');
  return `line ${line}, character ${column}: ${isComment ? 'JSON has no comments' : 'look for a comma or quote that is missing or too much'}`;
}
