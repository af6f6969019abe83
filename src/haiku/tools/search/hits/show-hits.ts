import { countOf, formatCount } from '../../../../text/plural.ts';
import type { SearchRequest, SearchResult } from './search-files.ts';
import { showNames } from '../engine/show-names.ts';
import { showPath } from '../engine/show-path.ts';

/** The text that a search gives the model. Notes are lines in brackets, at the end. */
export function showHits(result: SearchResult, request: Pick<SearchRequest, 'hits' | 'timeoutMs'>): string {
  const { output, limit } = request.hits;
  const body = output === 'lines' ? result.shown : showFiles(result, output, limit);
  const notes = [...(output === 'lines' ? noteLines(result) : noteFiles(result, output, limit)), ...noteGaps(result)];
  if (result.isTimedOut) {
    notes.push(`[stopped after ${request.timeoutMs / 1_000} s, not all was searched; name a folder or a glob]`);
  }
  const isNothing = body.length === 0 && result.files.size === 0 && !result.isTimedOut;
  const nothing = result.unread.length === 0 ? 'no matches' : 'no matches in what was searched';
  return [...(isNothing ? [nothing] : body), ...notes].join('\n');
}

function noteLines({ lineCount, shownLines, isWhole, binary, files }: SearchResult): string[] {
  const more = lineCount - shownLines;
  const fileCount = countOf(files.size, 'file');
  const notes =
    more > 0
      ? [
          isWhole
            ? `[${countOf(more, 'more line')} of ${fileCount} in all; raise limit, or narrow by path, glob or pattern]`
            : `[more than ${formatCount(more - 1)} more lines; narrow by path, glob or pattern]`,
        ]
      : [];
  if (binary.size > 0) {
    const names = [...binary].map(([path, count]) => `${showPath(path)} (${countOf(count, 'line')})`);
    notes.push(`[found in binary files, not shown: ${showNames(names)}]`);
  }
  return notes;
}

function showFiles({ files }: SearchResult, output: 'files' | 'count', limit: number): string[] {
  return [...files]
    .slice(0, limit)
    .map(([path, count]) => (output === 'files' ? showPath(path) : `${count} ${showPath(path)}`));
}

function noteFiles({ files, isWhole }: SearchResult, output: 'files' | 'count', limit: number): string[] {
  const notes = files.size > limit ? [`[${countOf(files.size - limit, 'more file')}; raise limit, or narrow]`] : [];
  if (output === 'count' && files.size > 0) {
    const lines = [...files.values()].reduce((sum, count) => sum + count, 0);
    notes.push(`[${isWhole ? '' : 'at least '}${countOf(lines, 'line')} in ${countOf(files.size, 'file')}]`);
  }
  if (!isWhole) notes.push('[counting ended; narrow by path, glob or pattern]');
  return notes;
}

function noteGaps({ unread, legacy }: SearchResult): string[] {
  return [
    ...(legacy.length === 0 ? [] : [`[read as Windows-1252: ${showNames(legacy.map(showPath))}]`]),
    ...(unread.length === 0 ? [] : [`[not searched: ${showNames(unread)}]`]),
  ];
}
