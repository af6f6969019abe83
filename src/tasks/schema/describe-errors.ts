import type { ErrorObject } from 'ajv';
import { toOneLine } from '../../text/one-line.ts';

const MOST_PROBLEMS = 5;
/** UTF-16 code units of one problem. */
const MOST_LENGTH = 300;

/** Says in one line what is wrong with a result: at most five problems, each with the JSON pointer of its place. */
export function describeErrors(errors: readonly ErrorObject[]): string {
  const problems = new Set(errors.map(describe));
  return [...problems].slice(0, MOST_PROBLEMS).join('; ');
}

function describe({ instancePath, message = 'is wrong', keyword, params }: ErrorObject): string {
  const place = instancePath === '' ? 'the result' : instancePath;
  return toOneLine(`${place} ${message}${toDetail(keyword, params)}`, MOST_LENGTH);
}

/** What Ajv's message leaves out. */
function toDetail(keyword: string, params: Record<string, unknown>): string {
  switch (keyword) {
    case 'additionalProperties':
      return `: ${JSON.stringify(params['additionalProperty'])}`;
    case 'unevaluatedProperties':
      return `: ${JSON.stringify(params['unevaluatedProperty'])}`;
    case 'enum':
      return `: ${(params['allowedValues'] as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`;
    case 'const':
      return ` ${JSON.stringify(params['allowedValue'])}`;
    default:
      return '';
  }
}
