import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { openInside } from './open-inside.ts';
import { readLines, READ_CAP } from './line-range.ts';
import { requireWorkspace, toRefusal, ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import { requireRegular } from './text-file.ts';
import { defineTool } from '../tool.ts';

/**
 * Reads a file. Name and input are those of the SDK's agent toolset. The fleet reads by itself: the hash that guards a later
 * write must be of the bytes that the model saw, and the file must be opened without following a link.
 */
export const readTool = defineTool({
  name: 'read',
  description: `Read a UTF-8 text file. At most ${READ_CAP} bytes a call: read longer files in ranges.`,
  input: z.strictObject({
    file_path: z.string().min(1).describe('relative to the workspace'),
    view_range: z
      .tuple([z.int().min(1), z.int()])
      .optional()
      .describe('[first line, last line], from 1, both included; -1 as last line means the end'),
  }),
  async run({ file_path, view_range }, given) {
    const context = requireWorkspace(given);
    const { root } = context.workspace;
    const path = await resolveInside(file_path, context);
    const [from, last] = view_range ?? [1, -1];
    const to = last < 1 ? Infinity : last;
    if (to < from) throw new ToolRefusal(`view_range: expected the first line before the last, got [${from}, ${to}]`);
    try {
      const file = await openInside(root, path);
      try {
        const { size } = await requireRegular(file, file_path);
        const { bytes, sha256, lineCount } = await readLines(file, size, { from, to }, file_path);
        if (from > Math.max(1, lineCount))
          throw new ToolRefusal(`${JSON.stringify(file_path)}: has ${lineCount} lines, asked from ${from}`);
        const note = isUtf8(bytes) ? '' : '\n[not UTF-8: some characters are shown as �]';
        return {
          content: bytes.toString('utf8') + note,
          isError: false,
          ...(sha256 === null ? {} : { seen: { [path]: sha256 } }),
        };
      } finally {
        await file.close();
      }
    } catch (error) {
      throw toRefusal(error, file_path);
    }
  },
});
