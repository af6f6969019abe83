import { z } from 'zod';
import { requireWorkspace, ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import { showFile, SHOWN_BYTES } from './show-file.ts';
import { defineTool } from '../tool.ts';

/**
 * Reads a file. Name and input are those of the SDK's agent toolset. The fleet reads by itself: the hash that guards a later
 * write must be of the bytes that the model saw, and the file must be opened without following a link.
 */
export const readTool = defineTool({
  name: 'read',
  description: `Read a text file. Each line begins with its number and a tab, which are not part of the file. About ${SHOWN_BYTES / 1_000} kB a call; of more, the last line in brackets tells how to go on.`,
  input: z.strictObject({
    file_path: z.string().min(1).describe('relative to the workspace'),
    view_range: z
      .array(z.int())
      .length(2)
      .optional()
      .describe('[first line, last line], from 1, both included; -1 as last line means the end'),
    from_character: z
      .int()
      .min(1)
      .optional()
      .describe('character of the first line to begin with, from 1: to go on in a very long line'),
  }),
  async run({ file_path, view_range, from_character = 1 }, given) {
    const context = requireWorkspace(given);
    const path = await resolveInside(file_path, context);
    const [from = 1, last = -1] = view_range ?? [];
    const to = last < 1 ? Infinity : last;
    if (from < 1) throw new ToolRefusal(`view_range: lines count from 1, got [${from}, ${last}]`);
    if (to < from) throw new ToolRefusal(`view_range: expected the first line before the last, got [${from}, ${to}]`);
    const part = { from, to, character: from_character, room: SHOWN_BYTES, signal: context.signal };
    const { content, sha256 } = await showFile(context.workspace.root, path, file_path, part);
    return { content, isError: false, ...(sha256 === null ? {} : { seen: { [path]: sha256 } }) };
  },
});
