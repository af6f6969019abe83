import { z } from 'zod';
import { getPath, rowStepsSchema, toRows, transformRows } from './row-query.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import { parseJson, toCsv, toJson } from './row-formats.ts';
import { defineTool, type Tool } from '../tool.ts';
import { deliver, loadSource } from './transform-files.ts';

const inlineSchema = rowStepsSchema.extend({
  data: z.json().optional().describe('the JSON itself'),
  path: z.string().optional().describe('where in the JSON, e.g. "items" or "data.rows.0"; default all of it'),
  to: z.enum(['json', 'csv']).optional().describe('default json'),
});
const fileSchema = inlineSchema.extend({
  file: z.string().min(1).optional().describe('a JSON file to read instead of data'),
  out_file: z.string().min(1).optional().describe('write the result there instead of giving it back'),
});

/** Creates the tool that selects a part of JSON and transforms lists of objects. @param hasFiles whether the task has a workspace */
export function createJsonTransformTool(hasFiles: boolean): Tool {
  return defineTool({
    name: 'json_transform',
    description:
      'Pick a part of JSON by path; filter, count, sort, limit and select lists of objects; turn them into CSV. Steps run in this order: where, group_count, sort_by, limit, select.',
    input: hasFiles ? fileSchema : inlineSchema,
    async run(input, context) {
      const { data, path, to, file, out_file, ...steps } = fileSchema.parse(input);
      const text = data === undefined ? undefined : JSON.stringify(data);
      const source = await loadSource({ file, data: text }, context);
      const found = getPath(parseJson(source.text, source.name), path ?? '');
      if (found === undefined) throw new ToolRefusal(`${source.name}: has nothing at path ${JSON.stringify(path)}`);
      const isPlain = Object.values(steps).every((step) => step === undefined);
      if (isPlain && to !== 'csv') return await deliver(toJson(found), out_file, source, context);
      const rows = transformRows(toRows(found, source.name), steps);
      return await deliver(to === 'csv' ? toCsv(rows, ',') : toJson(rows), out_file, source, context);
    },
  });
}
