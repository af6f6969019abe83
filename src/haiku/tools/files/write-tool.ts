import { z } from 'zod';
import { requireWritable, ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import { hasNumbers, isNumbered } from './text/numbered-lines.ts';
import { defineTool } from '../tool.ts';
import { writeInside } from './write-inside.ts';

/**
 * Writes a file. Name and input are those of the SDK's agent toolset. The SDK's write neither requires an earlier read nor
 * reports changed lines.
 */
export const writeTool = defineTool({
  name: 'write',
  description:
    'Write a UTF-8 text file whole, making folders as needed. A file that exists must have been read by this task first; it keeps its line ends (unless content has \\r\\n) and its byte order mark.',
  input: z.strictObject({
    file_path: z.string().min(1).describe('relative to the workspace'),
    content: z.string().max(4_000_000),
  }),
  async run({ file_path, content }, given) {
    const context = await requireWritable(given);
    const path = await resolveInside(file_path, context);
    return await writeInside(path, context, (current) => {
      if (current !== null && isNumbered(content) && !hasNumbers(current.bytes.toString('latin1'))) {
        throw new ToolRefusal(
          `${JSON.stringify(file_path)}: content begins each line with a number and a tab as read shows them; they are not part of the file, leave them out`,
        );
      }
      return { content, said: `wrote ${Buffer.byteLength(content)} bytes to ${file_path}` };
    });
  },
});
