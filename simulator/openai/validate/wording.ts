import type { z } from 'zod';
import { type ChatApiError, invalidRequest } from '../api/api-error.ts';

type Issue = Parameters<z.core.$ZodErrorMap>[0];

const TYPE_NAMES: Record<string, string> = {
  string: 'a string',
  array: 'an array of objects',
  object: 'an object',
  boolean: 'a boolean',
  int: 'an integer',
  number: 'a number',
};

/** `messages[1].tool_calls[0].id`, as the provider writes a place. */
export function toPlace(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (place, part) =>
      typeof part === 'number' ? `${place}[${part}]` : place === '' ? String(part) : `${place}.${String(part)}`,
    '',
  );
}

/**
 * Checks a request and words the first problem as the provider does: "Missing required parameter: 'messages'.", "Invalid
 * type for 'model': expected a string, but got an integer instead." https://platform.openai.com/docs/guides/error-codes; as seen:
 * https://github.com/agno-agi/agno/issues/5382
 * @throws ChatApiError 400
 */
export function parseChat<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw toError(parsed.error.issues[0] as Issue | undefined);
}

function toError(issue: Issue | undefined): ChatApiError {
  if (issue === undefined) return invalidRequest('Invalid request');
  const place = toPlace(issue.path ?? []);
  if (issue.input === undefined && issue.code !== 'custom') {
    return invalidRequest(`Missing required parameter: '${place}'.`, place, 'missing_required_parameter');
  }
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- zod's other codes have no words of their own
  switch (issue.code) {
    case 'invalid_type':
      return invalidRequest(
        `Invalid type for '${place}': expected ${TYPE_NAMES[issue.expected] ?? issue.expected}, but got ${describe(issue.input)} instead.`,
        place,
        'invalid_type',
      );
    case 'invalid_value':
      return invalidRequest(
        `Invalid value: '${String(issue.input)}'. Supported values are: ${listValues(issue.values)}.`,
        place,
        'invalid_value',
      );
    case 'too_small':
      return toTooSmall(issue, place);
    case 'too_big':
      return toTooBig(issue, place);
    case 'invalid_format':
      return invalidRequest(
        `Invalid '${place}': string does not match pattern. Expected a string that matches the pattern '${(issue.pattern ?? '').replaceAll(/^\/|\/$/g, '')}'.`,
        place,
        'invalid_value',
      );
    default:
      return invalidRequest(issue.message ?? `Invalid value for '${place}'.`, place, 'invalid_value');
  }
}

function toTooSmall(issue: Extract<Issue, { code: 'too_small' }>, place: string): ChatApiError {
  if (issue.origin === 'array') {
    return invalidRequest(
      `Invalid '${place}': empty array. Expected an array with minimum length ${issue.minimum}, but got an empty array instead.`,
      place,
      'empty_array',
    );
  }
  return invalidRequest(
    `Invalid '${place}': integer below minimum value. Expected a value >= ${issue.minimum}, but got ${String(issue.input)} instead.`,
    place,
    'integer_below_min_value',
  );
}

function toTooBig(issue: Extract<Issue, { code: 'too_big' }>, place: string): ChatApiError {
  if (issue.origin === 'string') {
    return invalidRequest(
      `Invalid '${place}': string too long. Expected a string with maximum length ${issue.maximum}, but got a string with length ${String(issue.input).length} instead.`,
      place,
      'string_above_max_length',
    );
  }
  const length = Array.isArray(issue.input) ? issue.input.length : 0;
  return invalidRequest(
    `Invalid '${place}': array too long. Expected an array with maximum length ${issue.maximum}, but got an array with length ${length} instead.`,
    place,
    'array_above_max_length',
  );
}

/** `'a', 'b', and 'c'`. */
export function listValues(values: readonly unknown[]): string {
  const quoted = values.map((value) => `'${String(value)}'`);
  if (quoted.length < 3) return quoted.join(' and ');
  return `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
