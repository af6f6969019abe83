import type { MessagesRequest, ReplyRoom } from '../types.ts';
import { parseDirectives } from './directives.ts';
import { stripMarkers } from '../markers.ts';
import type { TaskView } from './types.ts';
import { findFiles, findFolders, findGlobs, findQuoted, toVerbText } from './mentions.ts';
import { toSteps, type Step } from './steps.ts';
import { parseTaskPrompt, type TaskPrompt } from './task-prompt.ts';

/**
 * Characters of a description that the rules read. Some patterns start again at each letter, so that a very long word would
 * block the process.
 */
const READ_CHARACTERS = 4_000;

/** Where a mission's task lists the findings that it builds on. The text below is not part of the request. */
const FOUNDATION = /\n\nIt builds on these findings\b/;

/** A file that came with the task needs no call. */
function toReadStep({ path, text }: TaskPrompt['given'][number]): Step {
  return { name: 'read', input: { file_path: path }, content: text, isError: false, isLost: false };
}

/** Parses from one request all that the rules decide by. */
export function toTaskView(request: MessagesRequest, room: ReplyRoom): TaskView {
  const task = parseTaskPrompt(request);
  const [own = '', foundation = ''] = task.description.split(FOUNDATION);
  const text = stripMarkers(own.slice(0, READ_CHARACTERS));
  const odd = task.files.filter((path) => !/^[\w@./-]+$/.test(path)); // in a path with blanks the last word would count as another file
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
    steps: [...task.given.map(toReadStep), ...toSteps(request)],
    tools: new Set((request.tools ?? []).map((tool) => ('name' in tool ? tool.name : ''))),
    directives: parseDirectives(task.description),
    buildsOn: [...foundation.matchAll(/^- ([A-Za-z0-9._-]+):/gm)].map(([, id = '']) => id),
    room,
  };
}
