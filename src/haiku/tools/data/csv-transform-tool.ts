import { z } from 'zod';
import { rowStepsSchema, transformRows } from './row-query.ts';
import { parseCsv, toCsv, toJson } from './row-formats.ts';
import { defineTool, type Tool } from '../tool.ts';
import { deliver, loadSource } from './transform-files.ts';

const inlineSchema = rowStepsSchema.extend({
  data: z.string().max(1_000_000).optional().describe('the CSV text itself, with a header line'),
  delimiter: z.string().length(1).optional().describe('default ","'),
  to: z.enum(['csv', 'json']).optional().describe('default csv'),
});
const fileSchema = inlineSchema.extend({
  file: z.string().min(1).optional().describe('a CSV file to read instead of data'),
  out_file: z.string().min(1).optional().describe('write the result there instead of giving it back'),
});

/** Creates the tool that transforms the rows of a CSV. @param hasFiles whether the task has a workspace */
export function createCsvTransformTool(hasFiles: boolean): Tool {
  return defineTool({
    name: 'csv_transform',
    description:
      'Filter, count, sort, limit and select the rows of a CSV with a header line; turn it into JSON. Steps run in this order: where, group_count, sort_by, limit, select.',
    input: hasFiles ? fileSchema : inlineSchema,
    async run(input, context) {
      const { data, delimiter = ',', to, file, out_file, ...steps } = fileSchema.parse(input);
      const source = await loadSource({ file, data }, context);
      const rows = transformRows(parseCsv(source.text, delimiter, source.name), steps);
      return await deliver(to === 'json' ? toJson(rows) : toCsv(rows, delimiter), out_file, source, context);
    },
  });
}
