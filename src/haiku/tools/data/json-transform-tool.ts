import { extname } from 'node:path';
import { z } from 'zod';
import { rowStepsSchema } from './rows/row-steps.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import { defineTool, type Tool } from '../tool.ts';
import { deliver, loadSource } from './transform-files.ts';
import { transformer } from './run-transform.ts';

const inlineSchema = rowStepsSchema.extend({
  data: z.unknown().optional().meta({ type: 'string', description: 'the JSON text, or JSON lines' }), // a text keeps numbers exact
  path: z.string().optional().describe('the part to take, e.g. "items" or "data.rows.0"'),
  to: z.enum(['json', 'jsonl', 'csv']).optional().describe('default json'),
});
const fileSchema = inlineSchema.extend({
  file: z.string().min(1).optional().describe('read this instead of data'),
  out_file: z.string().min(1).optional().describe('write the result there'),
});

/** Creates the tool that selects a part of JSON and transforms lists of objects. @param hasFiles whether the task has a workspace */
export function createJsonTransformTool(hasFiles: boolean): Tool {
  return defineTool({
    name: 'json_transform',
    description:
      'Take a part of JSON or JSON lines, and transform a list of objects. Order of steps: where, group_count, sort_by, limit, select. Fields may be paths ("a.b").',
    input: hasFiles ? fileSchema : inlineSchema,
    async run(input, context) {
      const { data, path, to, file, out_file, ...steps } = fileSchema.parse(input);
      const source = await loadSource({ file, data: toJsonText(data) }, context);
      const request = {
        source: source.content,
        name: source.name,
        steps,
        to: to ?? 'json',
        path: path ?? '',
        isLines: file !== undefined && /^\.(?:jsonl|ndjson)$/i.test(extname(file)),
      } as const;
      return await deliver(await transformer.json(request, context.signal), out_file, source, context);
    },
  });
}

/** @throws ToolRefusal for a value with a number that was rounded before it came here */
function toJsonText(data: unknown): string | undefined {
  if (data === undefined || data === null) return undefined;
  if (typeof data === 'string') return data;
  return JSON.stringify(data, (_, value: unknown) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value;
    throw new ToolRefusal(`data: ${value} may have been rounded on its way here; give data as a JSON text in quotes`);
  });
}
