import { z } from 'zod';
import { requireWritable } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import { defineTool } from '../tool.ts';
import { writeInside } from './write-inside.ts';

/**
 * Writes a file. Name and input are those of the SDK's agent toolset. The SDK's write neither requires an earlier read nor
 * reports changed lines.
 */
export const writeTool = defineTool({
  name: 'write',
  description:
    'Write a UTF-8 text file whole, making folders as needed. A file that exists must have been read by this task first.',
  input: z.strictObject({
    file_path: z.string().min(1).describe('relative to the workspace'),
    content: z.string().max(4_000_000),
  }),
  async run({ file_path, content }, given) {
    const context = await requireWritable(given);
    const path = await resolveInside(file_path, context);
    return await writeInside(path, context, () => ({
      content,
      said: `wrote ${Buffer.byteLength(content)} bytes to ${file_path}`,
    }));
  },
});
