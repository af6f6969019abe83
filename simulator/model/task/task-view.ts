import type { MessagesRequest } from '../types.ts';
import { CHARACTERS_PER_TOKEN } from '../../provider-host/tokens.ts';
import { parseDirectives } from './directives.ts';
import { stripMarkers } from '../markers.ts';
import type { TaskView } from './types.ts';
import { findFiles, findFolders, findGlobs, findQuoted, toVerbText } from './mentions.ts';
import { toSteps } from './steps.ts';
import { parseTaskPrompt } from './task-prompt.ts';

/** The rules search every word for paths, quotes and verbs, some from each letter on: a task of one endless word must not hold up its process. */
const READ_CHARACTERS = 4_000;

/** Where a task of a mission names the findings of those it depends on: their words are no wish of its own. */
const FOUNDATION = /\n\nIt builds on these findings\b/;

/** Reads everything the model goes by out of one request. */
export function toTaskView(request: MessagesRequest): TaskView {
  const task = parseTaskPrompt(request);
  const [own = '', foundation = ''] = task.description.split(FOUNDATION);
  const text = stripMarkers(own.slice(0, READ_CHARACTERS));
  const odd = task.files.filter((path) => !/^[\w@./-]+$/.test(path)); // with blanks: its last word would pass for another file
  const besides = odd.reduce((rest, path) => rest.replaceAll(path, ' '), text);
  const files = [...new Set([...task.files, ...findFiles(besides)])];
  const globs = findGlobs(text);
  return {
    task,
    text,
    verbs: toVerbText(text),
    files: files.filter((path) => !globs.some((glob) => glob.endsWith(path))),
    folders: findFolders(text).filter((folder) => !globs.some((glob) => glob.startsWith(`${folder}/`))),
    globs,
    quoted: findQuoted(text),
    steps: toSteps(request),
    tools: new Set((request.tools ?? []).map((tool) => ('name' in tool ? tool.name : ''))),
    directives: parseDirectives(task.description),
    buildsOn: [...foundation.matchAll(/^- ([A-Za-z0-9._-]+):/gm)].map(([, id = '']) => id),
    room: request.max_tokens * CHARACTERS_PER_TOKEN,
  };
}
