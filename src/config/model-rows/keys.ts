import type { ModelRow } from './types.ts';
import { listVendorKeys } from './vendors.ts';

/** Keys that have fields of the configuration of their own. */
const OWN_FIELDS = new Set(['ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'DEEPSEEK_API_KEY']);

/**
 * Reads the keys of the rows and of the vendors that the fleet knows.
 * @param names every variable that the fleet reads
 * @returns `found`: those that are set, by the name of the variable. One that is not set is missed when its model is called
 */
export function readModelKeys(
  models: readonly ModelRow[],
  variables: Record<string, string | undefined>,
  { names, findKeyProblem }: { names: readonly string[]; findKeyProblem: (value: string) => string | null },
): { found: Record<string, string>; problems: string[] } {
  const found: Record<string, string> = {};
  const problems: string[] = [];
  const wanted = models.flatMap(({ keyEnv }) => keyEnv ?? []);
  const ofVendors = listVendorKeys().filter((name) => !OWN_FIELDS.has(name));
  for (const name of new Set([...ofVendors, ...wanted])) {
    if (!/_KEY(?:_SHARD\d+)?$/.test(name) && (names.includes(name) || NOT_KEYS.test(name))) {
      problems.push(
        `models.json: key_env ${name}: expected a variable that holds a key, got one that is for something else`,
      );
      continue;
    }
    const value = variables[name];
    if (value === undefined || value === '') continue;
    const problem = findKeyProblem(value);
    if (problem === null) found[name] = value;
    else if (!names.includes(name)) problems.push(`${name}: ${problem}`); // else the schema names it
  }
  return { found, problems };
}

/** Variables that every program needs: as secrets they would be kept from all. */
const NOT_KEYS = /^(?:PATH|HOME|USER|SHELL|PWD|LANG|TMPDIR|TERM|NODE_.*|LC_.*|XDG_.*)$/;
