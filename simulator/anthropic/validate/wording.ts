import type { z } from 'zod';
import { isObject } from '../../provider-host/json.ts';
import { invalidRequest } from '../api/api-error.ts';

type Issue = Parameters<z.core.$ZodErrorMap>[0];
type Path = readonly PropertyKey[];

/** The provider validates with pydantic. https://docs.pydantic.dev/latest/errors/validation_errors/ */
const TYPE_NAMES: Record<string, string> = {
  string: 'string',
  array: 'list',
  object: 'dictionary',
  record: 'dictionary',
  boolean: 'boolean',
  int: 'integer',
  number: 'integer', // no number of the API has a fraction
};

/**
 * Checks a request and words the first problem as the provider does.
 * @throws ApiError 400
 */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body, { error: (issue) => toSentence(issue, body) });
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues[0]?.message ?? 'Invalid request');
}

/** What the real API may do and the simulator does not; the text names the simulator as the cause. */
export function unsimulated(what: string): string {
  return `${what}: the simulator does not do this (the real API may)`;
}

/** `'a'`, `'a' or 'b'`, `'a', 'b' or 'c'`, as pydantic lists the values that it expects. */
export function listValues(values: readonly unknown[]): string {
  const quoted = values.map((value) => `'${String(value)}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** The error of a discriminated union for a member that it does not have. A missing member gets the usual words. */
export function onUnknownMember(describe: (member: string, location: string) => string): z.core.$ZodErrorMap {
  return (issue) => {
    if (issue.code !== 'invalid_union' || issue.discriminator === undefined || !isObject(issue.input)) return undefined;
    const member = issue.input[issue.discriminator];
    return typeof member === 'string' ? describe(member, toPlainLocation(issue.path?.slice(0, -1))) : undefined;
  };
}

/** A path without the members of unions, for texts of the simulator's own. */
export function toPlainLocation(path: Path = []): string {
  return path.map(String).join('.');
}

function toSentence(issue: Issue, body: unknown): string {
  const path = issue.path ?? [];
  const place = issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path;
  return `${toLocation(body, place)}: ${toWords(issue)}`;
}

function toWords(issue: Issue): string {
  if (issue.code === 'unrecognized_keys') return 'Extra inputs are not permitted';
  if (isMissing(issue)) return 'Field required';
  switch (issue.code) {
    case 'invalid_type':
      return `Input should be a valid ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case 'invalid_union':
      return 'Input should be a valid string'; // the member's name is not a string
    case 'invalid_value':
      return `Input should be ${listValues(issue.values)}`;
    case 'too_small':
      return `Input should be greater than or equal to ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `String should have at most ${issue.maximum} characters`
        : `Input should be less than or equal to ${issue.maximum}`;
    case 'invalid_format':
      return `String should match pattern '${(issue.pattern ?? '').replaceAll(/^\/|\/$/g, '')}'`;
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'not_multiple_of':
      return issue.message ?? 'Input is not valid';
  }
}

function isMissing(issue: Issue): boolean {
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return issue.input === undefined;
  return isObject(issue.input) && issue.input[issue.discriminator] === undefined;
}

/**
 * A path with the chosen members of unions in it, as in `messages.65.content.1.tool_use.text`,
 * `messages.1.content.0.thinking.signature` and `system.2.cache_control.ephemeral.scope`.
 * https://github.com/anthropics/claude-code/issues/4378 and /25597
 */
function toLocation(body: unknown, path: Path): string {
  const parts: string[] = [];
  let value = body;
  for (const [i, part] of path.entries()) {
    parts.push(String(part));
    value = Reflect.get(Object(value), part);
    const next = path[i + 1];
    const member = next === undefined || next === 'type' ? undefined : toMember(path.slice(0, i + 1), value);
    if (member !== undefined) parts.push(member);
  }
  return parts.join('.');
}

function toMember(path: Path, value: unknown): string | undefined {
  const [before, last] = [path.at(-2), path.at(-1)];
  if (before === 'tools' && typeof last === 'number') return 'custom';
  const isUnion =
    last === 'cache_control' || last === 'tool_choice' || (before === 'content' && typeof last === 'number');
  return isUnion && isObject(value) && typeof value.type === 'string' ? value.type : undefined;
}
