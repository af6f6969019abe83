import type { z } from 'zod';
import { isObject } from '../../provider-host/json.ts';
import { type GoogleError, invalidArgument } from '../api/google-error.ts';

type Issue = z.core.$ZodIssue;

/** The first problem of a request as the provider words it; of unknown names all, one a line. */
export function toRefusal(issues: readonly Issue[], body: unknown): GoogleError {
  const lines = issues.flatMap((issue) => toLines(issue, body));
  return invalidArgument(lines.join('\n') || (issues[0]?.message ?? ''));
}

/** Words for a value of the wrong type; errors of a schema's own come first. */
export const wordIssue: z.core.$ZodErrorMap = ({ path = [] }) =>
  path.length === 0
    ? 'Invalid JSON payload received. Unknown name "": Root element must be a message.'
    : `Invalid value at '${toFieldPath(path, undefined)}'`;

function toLines(issue: Issue, body: unknown): string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  const path = toFieldPath(issue.path, body);
  const place = path === '' ? '' : ` at '${path}'`;
  return issue.keys.map((key) => `Invalid JSON payload received. Unknown name "${key}"${place}: Cannot find field.`);
}

/**
 * A path in the provider's names: `contents[7].parts[0]`, `generation_config.response_schema.properties[2].value.items`.
 * https://github.com/google-gemini/gemini-cli/issues/13972, https://github.com/glowingjade/obsidian-smart-composer/issues/455
 * @param body needed for the position of a property; without it the property is named
 */
export function toFieldPath(path: readonly PropertyKey[], body: unknown): string {
  let text = '';
  let value = body;
  for (const [i, part] of path.entries()) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (path[i - 1] === 'properties') text += `[${toPosition(value, String(part))}].value`;
    else text += `${text === '' ? '' : '.'}${toSnakeCase(String(part))}`;
    value = Reflect.get(Object(value), part);
  }
  return text;
}

function toPosition(properties: unknown, name: string): string | number {
  return isObject(properties) ? Object.keys(properties).indexOf(name) : name;
}

function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
