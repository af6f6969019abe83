import type { z } from 'zod';
import { list } from './fields.ts';
import { isSecretName } from './own-environment.ts';
import { passwordsOfRedis } from './redis-servers.ts';

/** Variables that the tool `run` sets itself. */
const OWN = /^(?:PATH|HOME|TMPDIR|XDG_.*|FLEET_RUN_ID)$/;

/** `NAME` and `NAME=value`, separated by commas: what programs of the tool `run` get beside its own variables. */
export const runVariables = list.transform((items, context) => {
  /** `value` null: that of the worker's own variable of this name. */
  const found: { name: string; value: string | null }[] = [];
  for (const item of items) {
    const end = item.indexOf('=');
    const name = end === -1 ? item : item.slice(0, end);
    const problem = findProblem(name);
    if (problem === null) found.push({ name, value: end === -1 ? null : item.slice(end + 1) });
    else context.addIssue({ code: 'custom', message: problem });
  }
  return found;
});

function findProblem(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return `expected NAME or NAME=value, separated by commas, got the name ${JSON.stringify(name)}`;
  }
  if (isSecretName(name)) return `${name} is a secret of the fleet, which no program of a task gets`;
  if (OWN.test(name)) return `${name} is set by the tool itself`;
  return null;
}

/**
 * The variables that programs get. A name that is not set is left out.
 * @param env variables of the shell and of `.env`
 * @returns `problems`: variables that hold a secret under another name
 */
export function readRunEnvironment(
  variables: z.output<typeof runVariables>,
  env: Record<string, string | undefined>,
): { variables: Record<string, string>; problems: string[] } {
  const given = variables.flatMap(({ name, value }) => {
    const known = value ?? env[name];
    return known === undefined ? [] : [[name, known] as const];
  });
  const isSecret = ([name, value]: [string, string | undefined]): boolean =>
    isSecretName(name) && value !== undefined && (name !== 'REDIS_URL' || passwordsOfRedis(value).length > 0);
  const secrets = new Set(
    Object.entries(env)
      .filter(isSecret)
      .map(([, value]) => value),
  );
  const problems = given
    .filter(([, value]) => secrets.has(value))
    .map(([name]) => `FLEET_RUN_ENV: ${name} has the value of a secret of the fleet, which no program of a task gets`);
  return { variables: Object.fromEntries(given), problems };
}
