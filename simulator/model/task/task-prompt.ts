import { toTexts } from '../message-texts.ts';
import { findStatedSchema } from '../stated-schema.ts';
import type { MessagesRequest } from '../types.ts';
import { isObject, type JsonObject } from '../../provider-host/json.ts';

/** The task in the first user message, in the worker's layout. Text without that layout is the description. */
export interface TaskPrompt {
  kind: string;
  description: string;
  files: string[];
  /** Parsed `<data>`, or undefined. */
  data: unknown;
  /** `<data>` as it stands in the message: its numbers may be too long for JavaScript's. */
  dataText: string | null;
  /** JSON Schema of the result: the task's own, or the request's. */
  schema: JsonObject | null;
  /** Files that came with the message, whole. */
  given: { path: string; text: string }[];
}

export function parseTaskPrompt(request: MessagesRequest): TaskPrompt {
  const text = toTexts(request.messages[0]?.content ?? '').join('\n');
  const task = /<task(?:\s[^>]*)?>\n?([\s\S]*?)\n?<\/task>/.exec(text);
  const after = task === null ? '' : text.slice(task.index + task[0].length);
  const end = after.indexOf('\n<environment>\n'); // what follows may contain the same tags
  const [rest, around] = end < 0 ? [after, ''] : [after.slice(0, end), after.slice(end)];
  const dataText = block(rest, 'data');
  const schema = parseJson(block(rest, 'schema')) ?? findStatedSchema(request);
  return {
    kind: /^<task[^>]*\skind="([^"]*)"/.exec(task?.[0] ?? '')?.[1] ?? 'other',
    description: task?.[1] ?? text,
    files: (block(rest, 'files') ?? '').split('\n').filter(Boolean),
    data: parseJson(dataText),
    dataText,
    schema: isObject(schema) ? schema : null,
    given: [...around.matchAll(/<file path="([^"]*)">\n([\s\S]*?)\n<\/file>/g)].map(([, path = '', file = '']) => ({
      path,
      text: file,
    })),
  };
}

function block(text: string, name: string): string | null {
  return new RegExp(`<${name}>\\n?([\\s\\S]*?)\\n?</${name}>`).exec(text)?.[1] ?? null;
}

function parseJson(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // not JSON: no data
  }
}
