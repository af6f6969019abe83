import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelPrice, ModelRow, RouteRow } from '../../../src/config/model-rows/types.ts';

/**
 * Writes a `models.json` for processes of a test, which know no row but those of their file.
 * @returns its path, for `FLEET_MODELS`
 */
export function writeModels(folder: string, models: readonly ModelRow[], routes: readonly RouteRow[] = []): string {
  const path = join(folder, 'models.json');
  writeFileSync(path, JSON.stringify({ models: models.map(toFileRow), routes: routes.map(toFileRoute) }));
  return path;
}

function toFileRow({ baseUrl, keyEnv, contextTokens, maxOutputTokens, price, ...same }: ModelRow): object {
  return {
    ...same,
    ...(baseUrl !== null && { base_url: baseUrl }),
    ...(keyEnv !== null && { key_env: keyEnv }),
    context_tokens: contextTokens,
    max_output_tokens: maxOutputTokens,
    price: price === 'free-local' ? price : toUsdPrices(price),
  };
}

/** Dollars a million tokens; the rows of dialects have no step. */
function toUsdPrices({ input, output, cacheRead, cacheWrite }: ModelPrice): object {
  const [inUsd, outUsd, readUsd, writeUsd] = [input, output, cacheRead, cacheWrite].map((nano) => nano / 1_000);
  return { input: inUsd, output: outUsd, cache_read: readUsd, cache_write: writeUsd };
}

function toFileRoute({ minPromptTokens, ...same }: RouteRow): object {
  return { ...same, ...(minPromptTokens !== undefined && { min_prompt_tokens: minPromptTokens }) };
}
