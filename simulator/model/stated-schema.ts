import { isObject, type JsonObject } from '../provider-host/json.ts';
import { toTexts } from './message-texts.ts';
import type { MessagesRequest } from './types.ts';

/** As the fleet asks a model for JSON to which no schema can be given. The schema is the line after it. */
const STATED = /\bfits this JSON Schema\b[^\n]*\n(\{.*\})/;

/** The schema that a reply must fit: the request's own, or the one that the system prompt states. Null: none. */
export function findStatedSchema({ output_config: output, system }: MessagesRequest): JsonObject | null {
  const given: unknown = output?.format?.schema;
  if (isObject(given)) return given;
  const [, stated] = STATED.exec(toTexts(system ?? '').join('\n')) ?? [];
  if (stated === undefined) return null;
  try {
    const schema: unknown = JSON.parse(stated);
    return isObject(schema) ? schema : null;
  } catch {
    return null; // a prompt that only looks like it
  }
}
