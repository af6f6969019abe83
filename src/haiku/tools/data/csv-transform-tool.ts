import { extname } from 'node:path';
import { z } from 'zod';
import { rowStepsSchema } from './rows/row-steps.ts';
import { defineTool, type Tool } from '../tool.ts';
import { deliver, loadSource } from './transform-files.ts';
import { transformer } from './run-transform.ts';

const inlineSchema = rowStepsSchema.extend({
  data: z.string().max(1_000_000).optional().describe('the CSV text'),
  delimiter: z
    .string()
    .regex(/^(?:[^"\r\n\\]|\\t)$/, 'expected one character, no quote and no line break')
    .optional()
    .describe('default: the one of , ; tab | that fits'),
  header: z.boolean().optional().describe('false: there is none; the columns are 1, 2, 3 and so on'),
  to: z.enum(['csv', 'json', 'jsonl']).optional().describe('default csv'),
});
const fileSchema = inlineSchema.extend({
  file: z.string().min(1).optional().describe('read this instead of data'),
  out_file: z.string().min(1).optional().describe('write the result there'),
});

/** Creates the tool that transforms the rows of a CSV. @param hasFiles whether the task has a workspace */
export function createCsvTransformTool(hasFiles: boolean): Tool {
  return defineTool({
    name: 'csv_transform',
    description:
      'Transform the rows of a CSV. Order of steps: where, group_count, sort_by, limit, select. Of two columns "x" the second is "x#2".',
    input: hasFiles ? fileSchema : inlineSchema,
    async run(input, context) {
      const { data, delimiter, header, to, file, out_file, ...steps } = fileSchema.parse(input);
      const source = await loadSource({ file, data }, context);
      const request = {
        source: source.content,
        name: source.name,
        steps,
        to: to ?? 'csv',
        delimiter: delimiter === String.raw`\t` ? '\t' : delimiter,
        likely: file !== undefined && /^\.(?:tsv|tab)$/i.test(extname(file)) ? '\t' : undefined,
        hasHeader: header ?? true,
      } as const;
      return await deliver(await transformer.csv(request, context.signal), out_file, source, context);
    },
  });
}
