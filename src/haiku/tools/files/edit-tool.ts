import { z } from 'zod';
import { requireWritable, ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import { countEnds } from './text/line-ends.ts';
import { describeNearest } from './text/nearest-lines.ts';
import { hasNumbers, isNumbered } from './text/numbered-lines.ts';
import { findPlaces, MOST_PLACES, replacePlaces, type Place, type Replacement } from './text/replace-text.ts';
import { toText, WHOLE_FILE_CAP } from './text-file.ts';
import { defineTool } from '../tool.ts';
import { requireSeen, writeInside } from './write-inside.ts';

/** Places that are named when a text occurs too often. */
const NAMED_PLACES = 10;

/** Edits a file. Name, input and meaning are those of the SDK's agent toolset; the rules for writing are the fleet's. */
export const editTool = defineTool({
  name: 'edit',
  description:
    'Replace old_string with new_string in a file this task has read. old_string is text of the file, without the line numbers of read, and must occur exactly once unless replace_all is true. The file keeps its line ends.',
  input: z.strictObject({
    file_path: z.string().min(1).describe('relative to the workspace'),
    old_string: z.string().min(1),
    new_string: z.string(),
    replace_all: z.boolean().optional(),
  }),
  async run({ file_path, old_string, new_string, replace_all }, given) {
    if (old_string === new_string) throw new ToolRefusal('edit: old_string and new_string are the same; nothing to do');
    const context = await requireWritable(given);
    const path = await resolveInside(file_path, context);
    const shown = JSON.stringify(file_path);
    return await writeInside(path, context, (current) => {
      if (current === null) throw new ToolRefusal(`${shown}: no such file; make it with write`);
      const text = toText(current.bytes, file_path);
      requireSeen(path, current.sha256, context.state.seen.get(path));
      const replacement = { old: old_string, fresh: new_string };
      const places = findPlaces(text, replacement);
      if (places.length === 0) throw new ToolRefusal(`${shown}: ${describeMissing(text, replacement)}`);
      if (places.length > 1 && replace_all !== true) throw new ToolRefusal(`${shown}: ${describeMany(text, places)}`);
      requireReasonable(shown, text, places, replacement);
      const content = replacePlaces(text, places, replacement);
      return { content, said: `edited ${file_path} (${places.length} replacement(s))`, isExact: true };
    });
  },
});

function describeMissing(text: string, { old, fresh }: Replacement): string {
  const { crlf, lf } = countEnds(text);
  const ends = old.includes('\r') && crlf === 0 && lf > 0 ? ' (its lines end in \\n, without \\r)' : '';
  const done =
    fresh.trim().length >= 10 && findPlaces(text, { old: fresh, fresh: '' }).length > 0
      ? ' new_string is in it already: the change may have been made.'
      : '';
  return `old_string does not occur in it${ends}.${done} ${describeNearest(text, old)}\nCopy the text exactly from a fresh read.`;
}

function describeMany(text: string, places: readonly Place[]): string {
  const lines = places.slice(0, NAMED_PLACES).map(({ start }) => text.slice(0, start).split('\n').length);
  const more = places.length > NAMED_PLACES ? ', …' : '';
  const count = places.length > MOST_PLACES ? `more than ${MOST_PLACES}` : String(places.length);
  return `old_string occurs ${count} times (lines ${lines.join(', ')}${more}); give more of the text around it, or set replace_all`;
}

/** @throws ToolRefusal for a change that no one meant: numbers of `read` as text, or a file too large to be edited again */
function requireReasonable(shown: string, text: string, places: readonly Place[], { old, fresh }: Replacement): void {
  if (isNumbered(fresh) && !hasNumbers(text)) {
    throw new ToolRefusal(
      `${shown}: new_string begins each line with a number and a tab as read shows them; they are not part of the file, leave them out`,
    );
  }
  if (places.length > MOST_PLACES) {
    throw new ToolRefusal(
      `${shown}: old_string occurs more than ${MOST_PLACES} times; one edit replaces at most that many`,
    );
  }
  const bytes = Buffer.byteLength(text) + places.length * (Buffer.byteLength(fresh) - Buffer.byteLength(old));
  if (bytes > WHOLE_FILE_CAP) {
    throw new ToolRefusal(
      `${shown}: would grow to ${bytes} bytes with ${places.length} replacements; a file that is edited has at most ${WHOLE_FILE_CAP}`,
    );
  }
}
