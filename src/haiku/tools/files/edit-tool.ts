import { z } from 'zod';
import { requireWritable, ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import { toText } from './text-file.ts';
import { defineTool } from '../tool.ts';
import { requireSeen, writeInside } from './write-inside.ts';

/** Edits a file. Name, input and meaning are those of the SDK's agent toolset; the rules for writing are the fleet's. */
export const editTool = defineTool({
  name: 'edit',
  description:
    'Replace old_string with new_string in a file this task has read. old_string must occur exactly once unless replace_all is true.',
  input: z.strictObject({
    file_path: z.string().min(1).describe('relative to the workspace'),
    old_string: z.string().min(1),
    new_string: z.string(),
    replace_all: z.boolean().optional(),
  }),
  async run({ file_path, old_string, new_string, replace_all }, given) {
    const context = await requireWritable(given);
    const path = await resolveInside(file_path, context);
    const shown = JSON.stringify(file_path);
    return await writeInside(path, context, (current) => {
      if (current === null) throw new ToolRefusal(`${shown}: no such file; make it with write`);
      requireSeen(path, current.sha256, context.state.seen.get(path));
      const parts = toText(current.bytes, file_path).split(old_string);
      const found = parts.length - 1;
      if (found === 0) {
        const ends = current.bytes.includes('\r\n') && old_string.includes('\n') ? ' (its lines end in \\r\\n)' : '';
        throw new ToolRefusal(`${shown}: old_string does not occur in it${ends}; copy it exactly from a fresh read`);
      }
      if (found > 1 && replace_all !== true) {
        throw new ToolRefusal(
          `${shown}: old_string occurs ${found} times; give more of the text around it, or set replace_all`,
        );
      }
      return { content: parts.join(new_string), said: `edited ${file_path} (${found} replacement(s))` };
    });
  },
});
